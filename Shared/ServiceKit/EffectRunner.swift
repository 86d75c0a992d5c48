import Foundation
import Logging
import Messages
import Store

/// Carries out intents after their commit, several of each kind at a time, each until it is settled.
actor EffectRunner {
    /// Of one kind: one that hangs, as with a server that does not answer, keeps no other kind waiting.
    private static let atOnce = 16

    private struct Key: Hashable {
        let kind: String
        let id: String
    }

    private let effects: [String: Effect]
    private let store: StateStore
    private let clock: WallClock
    private let signal: WakeSignal
    private let logger: Logger
    private var running: Set<Key> = []

    init(effects: [String: Effect], store: StateStore, clock: WallClock, signal: WakeSignal, logger: Logger) {
        self.effects = effects
        self.store = store
        self.clock = clock
        self.signal = signal
        self.logger = logger
    }

    func run() async {
        if effects.isEmpty { return }
        signal.wake()
        for await _ in signal.wakes {
            do {
                try await startDue()
            } catch {
                logger.warning("intents could not be read: \(error)")
                signal.wake(after: .seconds(1))
            }
        }
    }

    private func startDue() async throws {
        try await store.restartWaits(at: clock.now())
        // As it is before the store is read: what ends meanwhile is still among the due ones.
        let busy = running
        var counts = busy.reduce(into: [String: Int]()) { $0[$1.kind, default: 0] += 1 }
        let kinds = effects.keys.filter { counts[$0, default: 0] < Self.atOnce }
        // Those that run are due as well, so as many are read as may run.
        let (due, next) = try await store.dueIntents(at: clock.now(), kinds: kinds, limitOfEach: Self.atOnce)
        for intent in due where !busy.contains(Self.key(intent)) && counts[intent.kind, default: 0] < Self.atOnce {
            counts[intent.kind, default: 0] += 1
            start(intent)
        }
        if let next { signal.wake(after: next.wait(from: clock.now())) }
    }

    private static func key(_ intent: Intent) -> Key { Key(kind: intent.kind, id: intent.id) }

    private func start(_ intent: Intent) {
        guard let effect = effects[intent.kind] else { return }
        running.insert(Self.key(intent))
        Task {
            let outcome = await WorkContext.$current.withValue(.effect(intent)) { await effect(intent) }
            await settle(intent, outcome)
            running.remove(Self.key(intent))
            signal.wake()
        }
    }

    private func settle(_ intent: Intent, _ outcome: EffectOutcome) async {
        // The world has acted: what came of it must get in, however long the disk takes.
        while !Task.isCancelled {
            do {
                try await store.write { transaction in try Self.write(intent, outcome, transaction) }
                return
            } catch let error as EventTooLarge {
                logger.error("\(intent.kind) \(intent.id) came to more than can be told: \(error)")
                let later = EffectOutcome.later(reason: "\(error)", after: .seconds(600))
                return await settle(intent, later)
            } catch {
                logger.error("the outcome of \(intent.kind) \(intent.id) could not be stored, trying again: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private static func write(_ intent: Intent, _ outcome: EffectOutcome, _ transaction: Transaction) throws {
        switch outcome {
        case .done(let commit), .never(_, let commit):
            // First, so that a commit body may state the same intent anew.
            try transaction.dropIntent(intent.kind, id: intent.id)
            try commit(transaction)
        case .later(let reason, let delay):
            let due = transaction.now.advanced(by: delay ?? BackOff.afterFailures(intent.attempts + 1))
            try transaction.postpone(intent, until: due, reason: reason)
        }
    }
}
