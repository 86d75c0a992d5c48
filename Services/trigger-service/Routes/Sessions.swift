import Foundation
import Logging
import Messages
import Store
import Synchronization

/// Sessions, claims and completions of workers (bus.md 6). Rows say who holds what; here is only how long still.
final class Sessions: Sendable {
    static let longestPoll: Duration = .seconds(20)

    private let store: StateStore
    private let dispatcher: Dispatcher
    private let logger: Logger
    /// Never goes backwards and cannot be set.
    private let elapsed: @Sendable () -> Duration
    private let leases = Mutex(Leases())
    private let unserved: Mutex<Unserved>
    /// Steps looked at at once.
    private static let mostUnserved = 1000

    init(
        store: StateStore, dispatcher: Dispatcher, logger: Logger,
        elapsed: @escaping @Sendable () -> Duration = Sessions.monotonic()
    ) {
        self.store = store
        self.dispatcher = dispatcher
        self.logger = logger
        self.elapsed = elapsed
        unserved = Mutex(Unserved(patience: dispatcher.settings.workerWait))
    }

    static func monotonic() -> @Sendable () -> Duration {
        let begin = ContinuousClock.now
        return { ContinuousClock.now - begin }
    }

    /// After a restart every session has a full term before anything is given away.
    func restore() async throws {
        let sessions = try await store.read { try SessionQueries.all(in: $0) }
        let now = elapsed()
        leases.withLock { leases in
            for session in sessions { leases.restore(session.id, now: now) }
        }
    }

    func open(worker: String, verbs: [String], labels: JSONValue, slots: Int) async throws -> String {
        let dispatcher = dispatcher
        let (id, older) = try await store.write { transaction in
            let session = Session(id: transaction.newID(), worker: worker, verbs: verbs, slots: slots)
            return (session.id, try dispatcher.open(session, labels: labels, transaction))
        }
        let now = elapsed()
        leases.withLock { leases in
            if let older { leases.end(older) }
            leases.open(id, now: now)
        }
        return id
    }

    /// The items to be stopped; `nil` when the session is over.
    func keepAlive(_ session: String) async throws -> [String]? {
        let now = elapsed()
        guard leases.withLock({ $0.renew(session, now: now) }) else { return nil }
        return try await store.read { try SessionQueries.canceled(in: session, $0) }
    }

    /// Steps for a session, as soon as there are any; `nil` when the session is over.
    func claim(_ id: String, most: Int, within deadline: Duration) async throws -> [StepWork]? {
        let now = elapsed()
        // A claim is as good a sign of life as any.
        guard leases.withLock({ $0.renew(id, now: now) }),
            let session = try await store.read({ try SessionQueries.session(id, in: $0) })
        else { return nil }
        let end = now + min(deadline, Self.longestPoll)
        let waiter = dispatcher.board.register(session.verbs)
        defer { dispatcher.board.remove(waiter) }
        while true {
            let works = try await grant(session, most: most)
            if !works.isEmpty { return works }
            let left = end - elapsed()
            guard left > .zero, await dispatcher.board.wait(waiter, timeout: left) else { return [] }
            let alive = try await store.read { try SessionQueries.session(id, in: $0) != nil }
            guard alive else { return nil }
        }
    }

    private func grant(_ session: Session, most: Int) async throws -> [StepWork] {
        // Looking is free; a transaction costs an fsync.
        let offered = try await store.read { try SessionQueries.offered(session.verbs, limit: 1, in: $0) }
        if offered.isEmpty { return [] }
        let dispatcher = dispatcher
        return try await store.write { transaction in
            // It may have ended while this waited for its turn: a dead session gets nothing.
            guard let session = try SessionQueries.session(session.id, in: transaction.db) else { return [] }
            return try dispatcher.grant(session, most: most, transaction)
        }
    }

    /// Ends the sessions that were not heard of in time and gives their steps back.
    func endExpired() async {
        let now = elapsed()
        for session in leases.withLock({ $0.expired(now: now) }) {
            do {
                let dispatcher = dispatcher
                try await store.write { try dispatcher.end(session, comesBack: false, $0) }
                leases.withLock { $0.end(session) }
                logger.notice("session \(session) was not heard of for \(Leases.term); its steps are offered again")
            } catch {
                logger.warning("session \(session) could not be ended, trying again: \(error)")
            }
        }
    }

    /// Tells of offered steps that no open session can take, and in the end gives them up.
    func lookForUnserved() async {
        do {
            let offers = try await store.read { try SessionQueries.unserved(limit: Self.mostUnserved, in: $0) }
            let now = elapsed()
            let (told, over) = unserved.withLock { $0.look(Set(offers.keys), now: now) }
            let (dispatcher, patience) = (dispatcher, dispatcher.settings.workerWait ?? .zero)
            for offer in told.compactMap({ offers[$0] }) {
                try await store.write { try dispatcher.tellUnserved(offer, $0) }
            }
            for offer in over.compactMap({ offers[$0] }) {
                try await store.write { try dispatcher.giveUp(offer, after: patience, $0) }
            }
        } catch {
            logger.warning("steps without a worker could not be looked for, trying again: \(error)")
        }
    }

    /// In the leader alone: only it is asked, so only it knows who was heard of.
    func run() async {
        var round = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            await endExpired()
            round += 1
            if round.isMultiple(of: 5) { await lookForUnserved() }
        }
    }
}
