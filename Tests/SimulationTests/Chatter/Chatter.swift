import EventLog
import Foundation
import GRDB
import Messages
import Store
import Synchronization

@testable import ServiceKit

/// What a chatting service says: to nobody in particular.
struct Remark: EventBody {
    static let name = "remark.made"
    static let source: Source? = nil
    static let summary = "A service of the simulator said something."

    var number: Int
    /// How often handlers have to fail first; negative: for ever.
    var poison: Int
    /// Handlers answer it with a remark of their own.
    var asksBack: Bool
}

/// What happened outside of all databases, where nothing can be taken back.
final class Outside: Sendable {
    struct State {
        /// Effects by their idempotency key.
        var rings: [String: Int] = [:]
        /// Tries of a poisoned event, by service and event.
        var tries: [String: Int] = [:]
        var isQuiet = false
        /// What an operator asks of the console, and has not got yet.
        var wishes: [Wish] = []
        /// Chance of a remark to be poisoned.
        var poison = 0.0
    }

    enum Wish: Sendable, Hashable {
        /// Lets a service go on with a log that forked.
        case release(Source, Source)
        /// Its database was restored: its log begins a new epoch.
        case newEpoch(Source)
    }

    private let state = Mutex(State())

    func with<Value: Sendable>(_ body: (inout State) -> Value) -> Value { state.withLock { body(&$0) } }
}

/// A service that talks, listens, answers and rings a bell for everything heard: the whole cycle, in few tables.
struct Chatter: Sendable {
    let source: Source
    let others: [Source]
    let outside: Outside

    static func migrate(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("v1") { db in
            // Nothing is unique here: what is done twice must be seen.
            try db.execute(
                sql: """
                    CREATE TABLE said (event TEXT NOT NULL) STRICT;
                    CREATE TABLE heard (source TEXT, epoch INTEGER, seq INTEGER, key TEXT, event TEXT) STRICT;
                    CREATE TABLE rung (id TEXT NOT NULL) STRICT;
                    """)
        }
    }

    func parts(_ context: ServiceContext) -> ServiceParts {
        ServiceParts(
            subscriptions: others, handle: hear, effects: ["bell": ring],
            background: [Loop { await talk(context) }],
            leading: [{ await tidy(context) }, { await obey(context) }])
    }

    /// The log is moved into the database at any moment, while replicas read and write.
    private func tidy(_ context: ServiceContext) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 50...3000)))
            try? await context.store.checkpoint()
        }
    }

    private func obey(_ context: ServiceContext) async {
        guard source == .console else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            guard let wish = outside.with({ $0.wishes.first }) else { continue }
            do {
                try await context.store.write { try command(wish, $0) }
                outside.with { _ = $0.wishes.removeFirst() }
            } catch {
                // Asked again.
            }
        }
    }

    private func command(_ wish: Outside.Wish, _ transaction: Transaction) throws {
        let because = Causation.first(actor: "user:ann")
        switch wish {
        case .release(let service, let log):
            try transaction.publish(
                LogReleaseRequested(service: service.name, source: log.name), subject: "source/\(log)", key: log.name,
                because: because)
        case .newEpoch(source):
            // As the console's own route does: nobody would hear the wish.
            let start = try transaction.beginEpoch(of: source)
            try transaction.publish(
                EpochBegun(service: source.name, source: source.name, epoch: start.epoch, reason: "restored"),
                subject: "source/\(source)", key: source.name, because: because)
        case .newEpoch(let service):
            try transaction.publish(
                LogEpochRequested(service: service.name), subject: "source/\(service)", key: service.name,
                because: because)
        }
    }

    private func talk(_ context: ServiceContext) async {
        while !Task.isCancelled {
            let burst = Int.random(in: 0..<30) == 0 ? Int.random(in: 5...40) : 1
            try? await Task.sleep(for: .milliseconds(Int.random(in: 5...400)))
            if outside.with({ $0.isQuiet }) { continue }
            await withTaskGroup { group in
                for _ in 0..<burst { group.addTask { try? await context.store.write { try say($0) } } }
            }
        }
    }

    private func say(_ transaction: Transaction) throws {
        let poison = outside.with { Double.random(in: 0..<1) < $0.poison ? Int.random(in: -1...2) : 0 }
        let number = try Int.fetchOne(transaction.db, sql: "SELECT count(*) FROM said") ?? 0
        try publish(
            Remark(number: number, poison: poison, asksBack: Int.random(in: 0..<8) == 0),
            because: .first(actor: "service:\(source)"), transaction)
    }

    private func publish(_ remark: Remark, because: Causation, _ transaction: Transaction) throws {
        let key = "\(source)-\(Int.random(in: 0..<5))"
        let envelope = try transaction.publish(remark, subject: "remark/\(key)", key: key, because: because)
        try transaction.db.cachedStatement(sql: "INSERT INTO said VALUES (?)").execute(arguments: [envelope.id])
    }

    private func hear(_ event: ReceivedEvent, _ transaction: Transaction) throws {
        let (envelope, position) = (event.envelope, event.position)
        try transaction.db.cachedStatement(sql: "INSERT INTO heard VALUES (?, ?, ?, ?, ?)").execute(arguments: [
            position.source.name, position.epoch, position.seq, envelope.partitionkey, envelope.id,
        ])
        try transaction.intend("bell", id: "\(position.source)/\(position.epoch)/\(position.seq)", payload: "ring")
        guard let remark = try envelope.body(Remark.self) else { return }
        if remark.asksBack, envelope.causationdepth < 3 {
            try publish(
                Remark(number: remark.number, poison: 0, asksBack: Bool.random()), because: envelope.consequence,
                transaction)
        }
        // Last, so that what was written before has to be taken back.
        if remark.poison < 0 { throw DeadAtOnce("poison") }
        let tries = outside.with { state in
            state.tries["\(source)/\(envelope.id)", default: 0] += 1
            return state.tries["\(source)/\(envelope.id)"] ?? 0
        }
        if tries <= remark.poison { throw CancellationError() }
    }

    private func ring(_ intent: Intent) async -> EffectOutcome {
        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...30)))
        if Int.random(in: 0..<30) == 0 {
            return .later(reason: "the bell is being polished", after: .milliseconds(300))
        }
        outside.with { $0.rings["\(source) \(intent.id)", default: 0] += 1 }
        return .done { try $0.db.cachedStatement(sql: "INSERT INTO rung VALUES (?)").execute(arguments: [intent.id]) }
    }
}
