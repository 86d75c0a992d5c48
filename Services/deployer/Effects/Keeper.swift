import Foundation
import Logging
import Messages
import Processes
import ServiceKit
import Store

/// Keeps one deployment's process as the deployment wants it: running and healthy, or ended.
///
/// Everything it decides on is read from the store, everything that happens goes back through the state machine: a
/// keeper can be killed at any line and begun again.
struct Keeper: Sendable {
    /// So many starts in a row that came to nothing, and it is told that the version does not come up again.
    static let patience = 3
    static let backOff: [Duration] = [.zero, .seconds(1), .seconds(2), .seconds(5), .seconds(10), .seconds(30)]

    let id: String
    let parts: DeployerParts

    /// Returns when the deployment has ended; throws when the service stops.
    func run() async throws {
        var restarts = 0
        while let record = try await read(), record.deployment.phase != .ended {
            do {
                if record.deployment.phase.isWanted {
                    let began = ContinuousClock.now
                    let ended = try await keepUp(record)
                    restarts = began.duration(to: .now) > .seconds(60) ? 0 : restarts + 1
                    if let ended { try await tell(ended, after: restarts) }
                } else {
                    try await retire(record)
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                parts.context.logger.warning("deployment \(id): \(error)")
                try await failed("\(error)")
                restarts += 1
                try await tell("\(error)", after: restarts)
            }
            try await pause(Self.backOff[min(restarts, Self.backOff.count - 1)])
        }
    }

    private func tell(_ ended: String, after restarts: Int) async throws {
        guard restarts >= Self.patience else { return }
        let reason = "its process does not come up again, tried \(Self.patience) times and on: \(ended)".shortened()
        try await apply(.troubled(id, reason: reason))
    }

    /// Returns why the process ended, or `nil` when it is no longer wanted.
    private func keepUp(_ record: DeploymentRecord) async throws -> String? {
        let deployment = record.deployment
        let running: ServingProcess.Running
        if let adopted = try await parts.processes.adopt(record) {
            running = adopted
        } else {
            // It ended while we were away, or right now: whoever is sent there should know.
            if deployment.isUp { try await apply(.died(id)) }
            running = try await parts.processes.start(deployment)
        }
        switch try await becomeHealthy(running, deployment) {
        case .healthy:
            try await apply(.healthy(id))
            return try await watch(running)
        case .unwanted:
            return nil
        case .ended(let end):
            return try await failed(with: "the serving process ended before it was healthy: \(end)")
        case .late(let problem):
            let reason = try await failed(
                with: "the serving process was not healthy within "
                    + "\(Self.text(deployment.recipe.target.patience)) s: \(problem)")
            await parts.processes.end(id, running.process.identity)
            return reason
        }
    }

    /// With what the process wrote last.
    private func failed(with problem: String) async throws -> String {
        let tail = parts.workspace.tail(id)
        let reason = problem + (tail.isEmpty ? "" : "\n" + tail)
        try await failed(reason)
        return reason
    }

    private enum Start: Sendable {
        case healthy
        case late(String)
        case ended(ProcessEnd)
        case unwanted
    }

    private func becomeHealthy(_ running: ServingProcess.Running, _ deployment: Deployment) async throws -> Start {
        let target = deployment.recipe.target
        let check = HealthCheck(client: parts.client, port: running.port, path: target.health)
        return try await firstOf(
            { try await check.wait(seconds: target.patience).map(Start.late) ?? .healthy },
            { .ended(try await running.process.wait()) },
            {
                try await unwanted()
                return .unwanted
            })
    }

    private func watch(_ running: ServingProcess.Running) async throws -> String? {
        let end: ProcessEnd? = try await firstOf(
            { try await running.process.wait() },
            {
                try await unwanted()
                return nil
            })
        guard let end else { return nil }
        parts.context.logger.warning("the process of deployment \(id) ended: \(end)")
        try await apply(.died(id))
        return "the serving process ended: \(end)"
    }

    private func retire(_ record: DeploymentRecord) async throws {
        try await parts.routes.load()
        let rollout = try await parts.context.store.read { db in
            try RolloutQueries.rollout(of: record.deployment.endpoint, db)
        }
        await parts.routes.drained(id, within: .seconds(rollout.drain(of: id) ?? parts.settings.drainSeconds))
        await parts.processes.end(id, record.process)
        parts.workspace.clear(id)
        try await apply(.stopped(id))
    }

    private func failed(_ reason: String) async throws { try await apply(.failed(id, reason: reason)) }

    private func unwanted() async throws {
        try await parts.bell.until { try await read()?.deployment.phase.isWanted == true ? nil : () }
    }

    /// Waits before another start, unless it is no longer wanted.
    private func pause(_ duration: Duration) async throws {
        guard duration > .zero, try await read()?.deployment.phase.isWanted == true else { return }
        _ = try await firstOf({ try await Task.sleep(for: duration) }, { try await unwanted() })
    }

    private func read() async throws -> DeploymentRecord? {
        try await parts.context.store.read { [id] db in try RolloutQueries.deployment(id, db) }
    }

    private func apply(_ event: Rollout.Event) async throws {
        guard let endpoint = try await read()?.deployment.endpoint else { return }
        try await parts.context.store.write { [rollouts = parts.rollouts] transaction in
            _ = try rollouts.apply(event, to: endpoint, in: transaction)
        }
        try await parts.routes.load()
    }

    private static func text(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
    }
}

/// Runs all, gives what the first one gives, and cancels the others.
func firstOf<Value: Sendable>(_ bodies: (@Sendable () async throws -> Value)...) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        for body in bodies { group.addTask { try await body() } }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
