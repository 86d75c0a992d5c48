import Logging
import Messages
import ServiceKit
import Store

/// What comes back when its time has come: deadlines, next attempts, approvals that nobody answered.
struct Reminders: Sendable {
    let dispatcher: Dispatcher
    let watcher: RepositoryWatcher
    let store: StateStore
    let logger: Logger

    var effects: [String: Effect] {
        [
            IntentKind.deadline: remind { reminder, dispatcher, transaction in
                guard let started = reminder.started else { return }
                try dispatcher.move(reminder.run, transaction) { $0.timeOut(reminder.job, started: started) }
            },
            IntentKind.attempt: remind { reminder, dispatcher, transaction in
                guard let item = reminder.item else { return }
                try dispatcher.move(reminder.run, transaction) { $0.retryDue(item) }
            },
            IntentKind.stepDeadline: remind { reminder, dispatcher, transaction in
                guard let item = reminder.item else { return }
                try dispatcher.move(reminder.run, transaction) { $0.stepTimedOut(item) }
            },
            IntentKind.stepConfirmation: remind { reminder, dispatcher, transaction in
                guard let item = reminder.item else { return }
                try dispatcher.move(reminder.run, transaction) { $0.stepUnconfirmed(item) }
            },
            IntentKind.startTimeout: remind { reminder, dispatcher, transaction in
                try dispatcher.startTimedOut(reminder, transaction)
            },
            IntentKind.expiry: { [dispatcher] intent in
                .done { try dispatcher.expire(intent.id, $0) }
            },
            IntentKind.watch: { [watcher] _ in
                do {
                    try await watcher.reload()
                    return .done { _ in }
                } catch {
                    return .later(reason: "\(error)")
                }
            },
        ]
    }

    /// In the leader alone, beside the effects: what is due later by the clock than by the time that has passed, because
    /// somebody set the clock back.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            await hasten()
        }
    }

    func hasten() async {
        let countdowns = dispatcher.countdowns
        let over = countdowns.over
        guard !over.isEmpty else { return }
        do {
            try await store.write { transaction in
                for key in over { try transaction.hasten(key.kind, id: key.id) }
            }
            for key in over { countdowns.end(key) }
        } catch {
            logger.warning("what is due could not be seen to, trying again: \(error)")
        }
    }

    private func remind(
        _ body: @escaping @Sendable (Reminder, Dispatcher, Transaction) throws -> Void
    ) -> Effect {
        { [dispatcher] intent in
            do {
                let reminder = try intent.decode(Reminder.self)
                let key = Countdowns.Key(kind: intent.kind, id: intent.id)
                if let rest = dispatcher.countdowns.rest(key) {
                    return .later(reason: "the clock was set forward meanwhile", after: rest)
                }
                return .done { transaction in
                    dispatcher.countdowns.end(key)
                    try body(reminder, dispatcher, transaction)
                }
            } catch {
                return .never(reason: "not a reminder: \(error)") { _ in }
            }
        }
    }
}
