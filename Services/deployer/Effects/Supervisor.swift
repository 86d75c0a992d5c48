import Foundation
import Logging
import Messages
import ServiceKit
import Store

/// Sees to it that every deployment that has not ended has its keeper (what is wanted against what is there).
actor Supervisor {
    private let parts: DeployerParts
    private var keepers: [String: Task<Void, Never>] = [:]

    init(parts: DeployerParts) { self.parts = parts }

    /// Runs until the service stops. The serving processes stay: the next start takes them over.
    func run() async {
        // Two deployers over one set of processes would start each of them twice.
        guard let lock = await acquireLock() else { return }
        while !Task.isCancelled {
            let known = parts.bell.rings
            do {
                try await parts.routes.load()
                let live = try await parts.context.store.read { db in try RolloutQueries.live(db) }
                for record in live { keep(record.deployment.id) }
                await parts.bell.wait(past: known)
            } catch {
                if Task.isCancelled { break }
                parts.context.logger.error("deployments could not be read, trying again: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
        for keeper in keepers.values { keeper.cancel() }
        for keeper in keepers.values { await keeper.value }
        withExtendedLifetime(lock) {}
    }

    private func keep(_ id: String) {
        guard keepers[id] == nil else { return }
        // Not on this actor: a keeper looks into /proc.
        keepers[id] = Task.detached { [parts] in
            while !Task.isCancelled {
                do {
                    try await Keeper(id: id, parts: parts).run()
                    break
                } catch is CancellationError {
                    break
                } catch {
                    // The disk or the database: the process itself goes on meanwhile.
                    parts.context.logger.error("deployment \(id) could not be looked after, trying again: \(error)")
                    try? await Task.sleep(for: .seconds(1))
                }
            }
            await self.release(id, isStopping: Task.isCancelled)
        }
    }

    /// One that is wanted again after its end gets a new keeper.
    private func release(_ id: String, isStopping: Bool) {
        keepers[id] = nil
        if !isStopping { parts.bell.ring() }
    }

    private func acquireLock() async -> LeaderLock? {
        let path = parts.context.paths.service(.deployer) + "/supervisor.lock"
        while !Task.isCancelled {
            do {
                if let lock = try LeaderLock.acquire(path: path) { return lock }
            } catch {
                parts.context.logger.error("\(error)")
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }
}
