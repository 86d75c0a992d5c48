import ArgumentParser
import Foundation
import GRDB
import Messages
import ServiceKit
import Store
import Synchronization

/// A service that applies events: a row for each, in the transaction that moves the cursor.
struct Consume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Applies events: `expect <events>` on standard input; tells when so many more are committed.")

    @OptionGroup var options: ServiceOptions
    @Option(help: "Whose log to follow.") var follow = "evaluator"
    @Option var source = "notifier"
    @Option(help: "So many from the start on, without being asked on standard input.") var expect = 0

    func run() async throws {
        let tally = Tally()
        if expect > 0 { tally.expect(expect) }
        let follow = Source(stringLiteral: follow)
        try await Service.run(Source(stringLiteral: source), options: options, migrate: Effects.migrate) { _ in
            ServiceParts(
                subscriptions: [follow],
                handle: { event, transaction in try Effects.apply(event, tally, transaction) },
                background: [Loop { await Self.obey(tally) }])
        }
    }

    private static func obey(_ tally: Tally) async {
        Lines.say(["ready": true])
        for await words in Lines.heard() {
            if words.first == "expect", words.count == 2, let count = Int(words[1]) { tally.expect(count) }
        }
    }
}

private enum Effects {
    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("effects") { db in
            // Not unique: an effect that happens twice has to show.
            try db.execute(
                sql: """
                    CREATE TABLE effect (n INTEGER NOT NULL, intended INTEGER NOT NULL, applied INTEGER NOT NULL) STRICT
                    """)
        }
    }

    static func apply(_ event: ReceivedEvent, _ tally: Tally, _ transaction: Transaction) throws {
        guard event.envelope.type == Tick.eventType else { return }
        guard let n = event.envelope.data["n"]?.int, let intended = event.envelope.data["intended"]?.int else {
            throw DeadAtOnce("not a tick")
        }
        try transaction.db.cachedStatement(sql: "INSERT INTO effect (n, intended, applied) VALUES (?, ?, ?)")
            .execute(arguments: [n, intended, monotonic()])
        if tally.applied(Int64(intended)) {
            transaction.db.afterNextTransaction(onCommit: { _ in tally.committed() }, onRollback: { _ in tally.lost() })
        }
    }
}

/// Counts what is committed, and how long after its intended time.
private final class Tally: Sendable {
    private struct State {
        /// Applied in the transaction that is open.
        var pending: [Int64] = []
        var delays = Delays()
        var first: Int64 = 0
        var expected = Int.max
    }

    private let state = Mutex(State())

    func expect(_ count: Int) { state.withLock { $0 = State(pending: $0.pending, expected: count) } }

    /// - Returns: whether this is the first of its transaction.
    func applied(_ intended: Int64) -> Bool {
        state.withLock { state in
            state.pending.append(intended)
            return state.pending.count == 1
        }
    }

    func lost() { state.withLock { $0.pending = [] } }

    func committed() {
        let now = monotonic()
        state.withLock { state in
            if state.delays.count == 0 { state.first = now }
            for intended in state.pending { state.delays.add(now - intended) }
            state.pending = []
            guard state.delays.count >= state.expected else { return }
            Lines.say([
                "applied": .int(state.delays.count), "first": .int(Int(state.first)), "last": .int(Int(now)),
                "delays": state.delays.summary,
            ])
            state.expected = .max
        }
    }
}
