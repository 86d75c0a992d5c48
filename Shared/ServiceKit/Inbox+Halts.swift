import EventLog
import Foundation
import Logging
import Messages
import Store

/// What a service does about a log that contradicts what it read of it (bus.md 5).
package enum ForkPolicy: Sendable, Hashable {
    /// Decides by what others say: it follows the log no further until an operator releases it.
    case halt
    /// Only tells what others say: it says that the log forked, and takes its owner's word from there on.
    case goOn
}

extension Inbox {
    func quarantine(_ fork: Fork) async throws {
        let source = source
        // The console's log holds wishes, each for itself: nothing in it can contradict what was done. And a service that
        // did not hear them any more could not be told to go on.
        let goesOn = onFork == .goOn || fork.source == .console
        logger.critical(
            "the log \(fork.source) contradicts what was read of it (\(fork.epoch)/\(fork.seq))",
            metadata: [
                "then": .string(goesOn ? "its owner's word is taken" : "it is not followed until it is released")
            ])
        try await store.write { transaction in
            guard try transaction.halt(fork) else { return }
            let told = try transaction.publish(
                ForkDetected(
                    service: source.name, source: fork.source.name, epoch: fork.epoch, seq: fork.seq,
                    expected: fork.expected, found: fork.found),
                subject: "source/\(fork.source)", key: fork.source.name, because: .first(actor: "service:\(source)"))
            if goesOn { try transaction.release(fork.source, because: told.consequence) }
        }
        await noteHalts()
    }

    func halt(of source: Source) async throws -> Halt? {
        try await store.halt(of: source).map { Halt(fork: $0.fork, isReleased: $0.release != nil) }
    }

    func goOn(_ landing: Landing) async throws {
        let service = source
        try await store.write { transaction in
            guard let halt = try transaction.haltRecord(of: landing.source), let because = halt.release else { return }
            try transaction.land(landing)
            let letters = try transaction.dropParked(after: landing)
            let told = try transaction.publish(
                ForkReleased(
                    service: service.name, source: landing.source.name,
                    fromEpoch: landing.from?.epoch, fromSeq: landing.from?.seq, toEpoch: landing.to?.epoch,
                    toSeq: landing.to?.seq, forgotten: landing.forgotten, note: landing.note, by: because.actor),
                subject: "source/\(landing.source)", key: landing.source.name, because: because)
            for letter in letters {
                try transaction.publish(
                    DeadLetterClosed(
                        letter: letter.id, service: service.name, result: "dropped", by: because.actor),
                    subject: "deadletter/\(letter.id)", key: letter.key, because: told.consequence)
            }
        }
        await noteHalts()
    }

    /// A person lets this service go on with a log.
    func release(_ wish: LogReleaseRequested, _ envelope: Envelope, _ transaction: Transaction) throws {
        guard let halted = Source(checking: wish.source), let halt = try transaction.haltRecord(of: halted) else {
            return try answer(envelope, refused: "\(source) is not halted for '\(wish.source)'", transaction)
        }
        if halt.release == nil { try transaction.release(halted, because: envelope.consequence) }
    }

    /// A person says that this service's database was restored.
    func beginEpoch(_ wish: LogEpochRequested, _ envelope: Envelope, _ transaction: Transaction) throws {
        let logs = owned
        for log in logs {
            let tip = try transaction.beginEpoch(of: log)
            try transaction.publish(
                EpochBegun(
                    service: source.name, source: log.name, epoch: tip.epoch,
                    reason: wish.reason ?? "asked for by \(envelope.actor)"),
                subject: "source/\(log)", key: log.name, because: envelope.consequence)
        }
        try answer(envelope, refused: nil, transaction)
    }

    func answer(_ command: Envelope, refused reason: String?, _ transaction: Transaction) throws {
        try transaction.publish(
            LogCommandAnswered(command: command.id, service: source.name, accepted: reason == nil, reason: reason),
            subject: "command/\(command.id)", key: command.id, because: command.consequence)
    }

    /// For `/readyz` and `/metrics`.
    func noteHalts() async {
        guard let halts = try? await store.halts() else { return }
        halted.note(halts, metrics)
    }
}
