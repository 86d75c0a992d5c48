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
                    try await keepUp(record)
                    restarts = began.duration(to: .now) > .seconds(60) ? 0 : restarts + 1
                } else {
                    try await retire(record)
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                parts.context.logger.warning("deployment \(id): \(error)")
                try await failed("\(error)")
                restarts += 1
            }
            try await pause(Self.backOff[min(restarts, Self.backOff.count - 1)])
        }
    }

    /// Returns when the process has ended or is no longer wanted.
    private func keepUp(_ record: DeploymentRecord) async throws {
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
            try await watch(running)
        case .unwanted:
            return
        case .ended(let end):
            let tail = parts.workspace.tail(id)
            try await failed(
                "the serving process ended before it was healthy: \(end)" + (tail.isEmpty ? "" : "\n" + tail))
        case .late(let problem):
            let tail = parts.workspace.tail(id)
            try await failed(
                "the serving process was not healthy within \(Self.text(deployment.recipe.target.healthSeconds)) s: \(problem)"
                    + (tail.isEmpty ? "" : "\n" + tail))
            await parts.processes.end(id, running.process.identity)
        }
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
            { try await check.wait(seconds: target.healthSeconds).map(Start.late) ?? .healthy },
            { .ended(try await running.process.wait()) },
            {
                try await unwanted()
                return .unwanted
            })
    }

    private func watch(_ running: ServingProcess.Running) async throws {
        let end: ProcessEnd? = try await firstOf(
            { try await running.process.wait() },
            {
                try await unwanted()
                return nil
            })
        guard let end else { return }
        parts.context.logger.warning("the process of deployment \(id) ended: \(end)")
        try await apply(.died(id))
    }

    private func retire(_ record: DeploymentRecord) async throws {
        try await parts.routes.load()
        await parts.routes.drained(id, within: .seconds(parts.settings.drainSeconds))
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
