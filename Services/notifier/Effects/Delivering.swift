import Foundation
import Messages
import ServiceKit
import Store

/// Carries out one delivery: marked in the database before it leaves, so that no crash can make two of it.
struct Delivering: Sendable {
    static let kind = "deliver"

    let store: StateStore
    let slack: SlackWebhook
    let files: NotificationFiles

    func carryOut(_ intent: Intent) async -> EffectOutcome {
        do {
            let id = try intent.decode(String.self)
            guard let delivery = try await store.write({ try $0.delivery(id) }) else { return .done { _ in } }
            switch delivery.turn {
            case .nothing: return .done { _ in }
            case .giveUp(let reason): return Self.failed(delivery, reason)
            case .complete: return try await attempt(delivery)
            case .send:
                let marked = try await store.write { transaction in
                    try transaction.move(delivery, to: .sending)
                    return try transaction.delivery(id)
                }
                return try await attempt(marked ?? delivery)
            }
        } catch {
            return .later(reason: "\(error)")
        }
    }

    private func attempt(_ delivery: Delivery) async throws -> EffectOutcome {
        let attempt = await send(delivery)
        switch attempt {
        case .sent: return Self.sent(delivery)
        case .giveUp(let reason): return Self.failed(delivery, reason)
        case .retry(let reason, _):
            guard let wait = attempt.wait(after: delivery.attempts) else {
                return Self.failed(delivery, "given up after \(delivery.attempts) attempts: \(reason)")
            }
            try await store.write { try $0.move(delivery, to: .waiting, reason: reason) }
            return .later(reason: reason, after: wait)
        }
    }

    private func send(_ delivery: Delivery) async -> Attempt {
        switch delivery.recipient {
        case .slackSecret(let secret): await slack.send(delivery, toSecret: secret)
        case .slackURL(let url): await slack.send(delivery, to: url)
        case .file(let path): await files.append(delivery, to: path)
        case .unserved(let use): .giveUp(reason: "'\(use)' is not served here")
        }
    }

    private static func sent(_ delivery: Delivery) -> EffectOutcome {
        .done { transaction in
            try transaction.move(delivery, to: .sent)
            let body = NotificationSent(
                notification: delivery.id, event: delivery.event, recipient: delivery.recipient.name,
                attempts: delivery.attempts)
            try transaction.publish(
                body, subject: "notification/\(delivery.id)", key: delivery.recipient.name, because: delivery.causation)
        }
    }

    private static func failed(_ delivery: Delivery, _ reason: String) -> EffectOutcome {
        .never(reason: reason) { transaction in
            try transaction.move(delivery, to: .failed, reason: reason)
            let body = NotificationFailed(
                notification: delivery.id, event: delivery.event, recipient: delivery.recipient.name,
                attempts: delivery.attempts, reason: reason)
            try transaction.publish(
                body, subject: "notification/\(delivery.id)", key: delivery.recipient.name, because: delivery.causation)
        }
    }
}
