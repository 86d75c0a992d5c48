import EventLog
import Foundation
import Messages
import Store

/// What a service says of its logs to whoever asks: those it owns, those it follows, and what it has put aside.
struct LogReport: Sendable {
    static let method = "logs"

    let source: Source
    let store: StateStore
    let owned: [Source]
    let followed: Set<Source>

    /// At most so many parked keys are named.
    private static let mostKeys = 50

    func answer() async throws -> JSONValue {
        var logs: [JSONValue] = []
        for log in owned {
            let (head, size) = (try await store.head(of: log), try await store.size(of: log))
            logs.append([
                "source": .string(log.name), "epoch": .int(Int(head.epoch)), "first": .int(Int(head.first)),
                "last": .int(Int(head.last)), "epochs": .int(head.lineage.count + 1),
                "records": .int(Int(size.records)),
                "bytes": .int(Int(size.bytes)), "kept": .int(Int(size.kept)),
            ])
        }
        var follows: [JSONValue] = []
        let halts = Dictionary(try await store.halts().map { ($0.fork.source, $0) }, uniquingKeysWith: { $1 })
        for log in followed.sorted(by: { $0.name < $1.name }) {
            let cursor = try await store.cursor(for: log)
            follows.append([
                "source": .string(log.name), "epoch": cursor.map { .int(Int($0.epoch)) } ?? .null,
                "seq": cursor.map { .int(Int($0.seq)) } ?? .null, "halt": try halts[log].map(text) ?? .null,
            ])
        }
        let parked = try await store.parkedKeys(limit: Self.mostKeys)
        return [
            "service": .string(source.name), "logs": .array(logs), "follows": .array(follows),
            "parked": .array(
                parked.map { key in
                    [
                        "key": .string(key.key), "events": .int(key.events), "attempts": .int(key.attempts),
                        "due": .string(key.due.text), "reason": .string(key.reason),
                    ]
                }),
        ]
    }

    private func text(_ halt: HaltRecord) throws -> JSONValue {
        [
            "epoch": .int(Int(halt.fork.epoch)), "seq": .int(Int(halt.fork.seq)),
            "expected": .string(halt.fork.expected), "found": .string(halt.fork.found),
            "since": .string(halt.since.text), "released": .bool(halt.release != nil),
        ]
    }
}
