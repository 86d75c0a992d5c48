import Messages
import ServiceKit
import Store

/// What comes back when its time has come: deadlines, next attempts, approvals that nobody answered.
struct Reminders: Sendable {
    let dispatcher: Dispatcher
    let watcher: RepositoryWatcher

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

    private func remind(
        _ body: @escaping @Sendable (Reminder, Dispatcher, Transaction) throws -> Void
    ) -> Effect {
        { [dispatcher] intent in
            do {
                let reminder = try intent.decode(Reminder.self)
                return .done { try body(reminder, dispatcher, $0) }
            } catch {
                return .never(reason: "not a reminder: \(error)") { _ in }
            }
        }
    }
}
