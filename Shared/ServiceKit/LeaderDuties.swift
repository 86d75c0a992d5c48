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
    let retention: Retention
    /// The logs that this service owns.
    let logs: [Source]
    let noteHalts: @Sendable () async -> Void
    let takeOver: @Sendable () async throws -> Void
    let requests: [String: RequestHandler]
    let leading: [@Sendable () async -> Void]
    let forget: @Sendable (Transaction) throws -> Void

    func run() async throws {
        // Also while another replica leads: whoever waits for its place must not keep its service from ending.
        try await untilShutdown {
            guard let lock = try await leadership() else { return }
            defer { withExtendedLifetime(lock) {} }
            // What is visible must be durable: a crash may have left commits that only the WAL has (bus.md 7).
            try await context.store.checkpoint()
            try await begin()
            do {
                try await lead()
            } catch {
                await leaveMark()
                throw error
            }
            await leaveMark()
        }
    }

    /// A copy put back while the service is stopped is then seen to be older.
    private func leaveMark() async { try? await context.store.writeMark(of: logs, markPath) }

    private func lead() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await publisher.run() }
            if let subscriber { group.addTask { try await subscriber.run() } }
            group.addTask { await retrier.run() }
            group.addTask { await effects.run() }
            for duty in leading { group.addTask { await duty() } }
            group.addTask { await housekeeping() }
            group.addTask {
                await context.store.tendLog { error in
                    context.logger.warning("the write-ahead log cannot be tended, trying again: \(error)")
                }
            }
            group.addTask { await watchDisk() }
            try await group.waitForAll()
        }
    }

    /// What must be so before anything is published or asked.
    private func begin() async throws {
        if let reason = try await context.store.settleEpoch(of: logs, mark: markPath) {
            context.logger.warning("\(reason); its logs go on under a new epoch")
        }
        await noteHalts()
        try await takeOver()
        // A further log is a target too: `publish` is asked of `ingest`, which trigger-service owns (bus.md 6).
        for target in logs { context.bus.serve(as: target, requests) }
        readiness.reached("leader")
    }

    private var markPath: String { context.paths.logMark(context.source) }

    /// `nil`: told to stop before it led.
    private func leadership() async throws -> LeaderLock? {
        var told = false
        while !Task.isCancelled {
            if let lock = try LeaderLock.acquire(path: lockPath) { return lock }
            if !told {
                context.logger.notice("another replica leads; this one works, and stands by")
                readiness.reached("leader")
            }
            told = true
            try? await Task.sleep(for: .milliseconds(100))
        }
        return nil
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

    private func housekeeping() async {
        while !Task.isCancelled {
            guard (try? await Task.sleep(for: .seconds(30))) != nil else { return }
            do {
                try await context.store.measureLog()
                if context.store.walBytes > 4 << 20 || context.store.logIsTooLong {
                    try await context.store.checkpoint()
                }
                try await context.store.write { [forget] transaction in
                    try transaction.forgetOldWork()
                    try forget(transaction)
                }
                for log in logs { try await prune(log) }
                try await context.store.forgetExpiredFacts()
                try await context.store.writeMark(of: logs, markPath)
            } catch {
                context.logger.warning("housekeeping failed, trying again: \(error)")
            }
        }
    }

    /// A step at a time, so that others get to write in between.
    private func prune(_ log: Source) async throws {
        while try await context.store.prune(log, by: retention), !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
