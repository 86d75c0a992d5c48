import Bus
import EventLog
import Foundation
import Logging
import Messages
import ServiceLifecycle
import Store

/// What only one replica does: follow, publish, carry out intents, checkpoint (bus.md 7).
struct LeaderDuties: ServiceLifecycle.Service {
    let context: ServiceContext
    let lockPath: String
    let publisher: Publisher
    let subscriber: Subscriber?
    let retrier: ParkedRetrier
    let effects: EffectRunner
    let readiness: Readiness

    func run() async throws {
        // Also while another replica leads: whoever waits for its place must not keep its service from ending.
        try await untilShutdown {
            let lock = try await leadership()
            defer { withExtendedLifetime(lock) {} }
            // What is visible must be durable: a crash may have left commits that only the WAL has (bus.md 7).
            try await context.store.checkpoint()
            readiness.reached("leader")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await publisher.run() }
                if let subscriber { group.addTask { try await subscriber.run() } }
                group.addTask { await retrier.run() }
                group.addTask { await effects.run() }
                group.addTask { await housekeeping() }
                group.addTask { await watchDisk() }
                try await group.waitForAll()
            }
        }
    }

    private func leadership() async throws -> LeaderLock {
        var told = false
        while true {
            if let lock = try LeaderLock.acquire(path: lockPath) { return lock }
            if !told { context.logger.notice("another replica leads; waiting for its place") }
            told = true
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// A full disk heals by itself: somebody has to try.
    private func watchDisk() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            guard let trouble = context.store.trouble else { continue }
            do {
                try await context.store.probe()
                context.logger.notice("there is room again: \(trouble)")
            } catch {
                context.logger.error("\(trouble)")
            }
        }
    }

    /// The WAL is moved into the database when it has grown, and at leisure.
    private func housekeeping() async {
        while !Task.isCancelled {
            guard (try? await Task.sleep(for: .seconds(30))) != nil else { return }
            do {
                if context.store.walBytes > 4 << 20 { try await context.store.checkpoint() }
                try await context.store.write { try $0.forgetOldWork() }
            } catch {
                context.logger.warning("housekeeping failed, trying again: \(error)")
            }
        }
    }
}
