import ArgumentParser
import Messages

/// How many processes of each service `martlet up` runs.
struct Scaling: Sendable, Hashable {
    static let most = 16
    private var counts: [Source: Int] = [:]

    /// - Parameter texts: `trainer-proxy=2`.
    init(_ texts: [String]) throws {
        let services = Source.all.filter { $0 != .ingest }
        for text in texts {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let count = Int(parts[1]), (1...Self.most).contains(count) else {
                throw ValidationError("--scale '\(text)': write SERVICE=COUNT, with a count of 1 to \(Self.most)")
            }
            guard let service = services.first(where: { $0.name == parts[0] }) else {
                let known = services.map(\.name).joined(separator: ", ")
                throw ValidationError("--scale: '\(parts[0])' is none of \(known)")
            }
            counts[service] = count
        }
    }

    func apply(to members: [Member]) -> [Member] {
        members.flatMap { $0.scaled(to: counts[$0.source] ?? 1) }
    }
}
