import Crypto
import Foundation
import Messages

/// A model's stage history summed up move by move: who altered, removed or added one has altered all that follow.
package enum HistoryChain {
    /// Before the first move.
    package static let start = HistoryMark(moves: 0, chain: String(repeating: "0", count: 64))

    /// `SHA-256(chain ‖ the move's canonical JSON)`, as hex digits.
    package static func next(_ mark: HistoryMark, _ move: HistoryMove) throws -> HistoryMark {
        var hash = SHA256()
        hash.update(data: Data(mark.chain.utf8))
        hash.update(data: try Wire.encode(move))
        let digits = hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return HistoryMark(moves: mark.moves + 1, chain: digits.joined())
    }

    package static func mark(after start: HistoryMark = start, of moves: [HistoryMove]) throws -> HistoryMark {
        try moves.reduce(start) { try next($0, $1) }
    }
}

/// Holds a history to its own chain, to what was told of it, and to the stages that it leads to.
package struct HistoryReview: Sendable, Hashable {
    /// How far the history reaches as it stands.
    package private(set) var mark = HistoryChain.start
    /// What does not fit first; `nil`: nothing.
    package private(set) var problem: String?

    /// - Parameters:
    ///   - moves: of the model, oldest first, each with the chain's value that was stored with it.
    ///   - told: what events said of the chain.
    ///   - stages: of the versions that have one.
    package init(moves: [(move: HistoryMove, chain: String?)], told: [HistoryMark], stages: [Int: String]) throws {
        var chains: [String] = []
        var reached: [Int: String] = [:]
        for (move, chain) in moves {
            mark = try HistoryChain.next(mark, move)
            chains.append(mark.chain)
            reached[move.version] = move.to
            if let chain, chain != mark.chain, problem == nil {
                let from = move.from ?? "no stage", to = move.to ?? "no stage"
                problem =
                    "move \(mark.moves) (version \(move.version) from \(from) to \(to), \(move.time.text)), "
                    + "or one before it, is not as it was written"
            }
        }
        for known in told where problem == nil {
            if known.moves > chains.count {
                problem = "\(known.moves) moves were told, and \(chains.count) are there"
            } else if known.moves > 0, chains[known.moves - 1] != known.chain {
                problem = "the first \(known.moves) moves are not those that were told"
            }
        }
        if problem == nil, let (version, stage) = difference(reached, stages) {
            problem = "version \(version) is in stage \(stage ?? "none"), and no move says so"
        }
    }

    private func difference(_ reached: [Int: String], _ stages: [Int: String]) -> (Int, String?)? {
        Set(reached.keys).union(stages.keys).sorted().first { reached[$0] != stages[$0] }.map { ($0, stages[$0]) }
    }
}
