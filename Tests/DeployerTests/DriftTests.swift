import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import Deployer

extension World {
    /// Carries out the looks that are due, as the service does.
    fileprivate func look(_ parts: DeployerParts) async throws {
        let intents = try await context.store.dueIntents(at: Timestamp(.now), kinds: [DriftWatch.kind], limit: 100)
        for intent in intents.due {
            guard case .done(let commit) = parts.rollouts.drift.carryOut(intent) else { continue }
            try await context.store.write { tx in
                try tx.dropIntent(intent.kind, id: intent.id)
                try commit(tx)
            }
        }
    }

    fileprivate func stage(_ version: Int, _ to: String, run: String? = nil, to parts: DeployerParts) async throws {
        try await tell(
            ModelStageChanged(model: "m", version: version, to: to, replaced: [], reason: "test", run: run), to: parts)
    }

    fileprivate func end(_ run: String, to parts: DeployerParts) async throws {
        try await tell(
            RunFinished(
                run: run, number: 1, project: "p", pipeline: "cd", outcome: .succeeded, seconds: 1, outputs: [:]),
            to: parts)
    }

    fileprivate func drifts() async throws -> [String] {
        try await said().filter { $0.hasPrefix("deployment.drifted") || $0.hasPrefix("deployment.settled") }
    }
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct DriftTests {
    private var atOnce: Settings {
        get throws {
            try Settings(["MARTLET_DEPLOYER_HEALTH_SECONDS": "20", "MARTLET_DEPLOYER_DRIFT_SECONDS": "0"])
        }
    }

    @Test func `D14 a stage that moved away from what serves is told once, and so is the way back`() async throws {
        try await inWorld(settings: atOnce) { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "two", to: parts)
                try await world.tell(RunStarted(run: "r1", number: 1, project: "p", pipeline: "cd"), to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                try await world.stage(1, "production", run: "r1", to: parts)
                try await world.end("r1", to: parts)
                try await world.look(parts)
                #expect(try await world.record(of: "r1")?.deployment.stage == "production")
                // A person promotes another version and deploys nothing.
                try await world.stage(1, "archived", to: parts)
                try await world.stage(2, "production", to: parts)
                try await world.look(parts)
                try await world.stage(2, "production", to: parts)
                try await world.look(parts)
                #expect(try await world.drifts() == ["deployment.drifted 1"])
                try await world.stage(2, "archived", to: parts)
                try await world.stage(1, "production", to: parts)
                try await world.look(parts)
                #expect(try await world.drifts() == ["deployment.drifted 1", "deployment.settled 1"])
            }
        }
    }

    @Test func `a run that moves the stage before it deploys is waited for`() async throws {
        try await inWorld(settings: atOnce) { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "two", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                try await world.stage(1, "production", run: "r1", to: parts)
                try await world.end("r1", to: parts)
                try await world.look(parts)
                try await world.tell(RunStarted(run: "r2", number: 2, project: "p", pipeline: "cd"), to: parts)
                try await world.stage(1, "surpassed", run: "r2", to: parts)
                try await world.stage(2, "production", run: "r2", to: parts)
                try await world.look(parts)
                #expect(try await world.drifts().isEmpty)
                // It ends without a deployment: what serves is not what the registry says.
                try await world.end("r2", to: parts)
                try await world.look(parts)
                #expect(try await world.drifts() == ["deployment.drifted 1"])
                _ = try await world.deploy(2, run: "r3", by: parts)
                try await world.look(parts)
                #expect(try await world.drifts() == ["deployment.drifted 1", "deployment.settled 2"])
            }
        }
    }

    @Test func `only the look asked for last counts, so that a change of two commits is no drift`() async throws {
        try await inWorld(settings: Settings(["MARTLET_DEPLOYER_DRIFT_SECONDS": "3600"])) {
            (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                try await world.stage(1, "production", to: parts)
                try await world.context.store.write { tx in
                    try tx.save(
                        stage: "production",
                        of: try #require(
                            try RolloutQueries.rollout(of: "api", tx.db).current))
                }
                try await world.stage(2, "production", to: parts)
                try await world.stage(1, "surpassed", to: parts)
                let (due, _) = try await world.context.store.dueIntents(
                    at: Timestamp(.now.addingTimeInterval(7200)), kinds: [DriftWatch.kind], limit: 100)
                #expect(due.count >= 3)
                let wanted = try await world.context.store.read { db in try DriftQueries.told(of: "api", db).look }
                for intent in due.filter({ $0.id != wanted }) + due.filter({ $0.id == wanted }) {
                    #expect(try await world.drifts().isEmpty)
                    guard case .done(let commit) = parts.rollouts.drift.carryOut(intent) else { continue }
                    try await world.context.store.write { tx in try commit(tx) }
                }
                #expect(try await world.drifts() == ["deployment.drifted 1"])
            }
        }
    }

    @Test func `a version whose process does not come up again has drifted until it does`() async throws {
        try await inWorld(settings: atOnce) { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let id = try #require(try await world.record(of: "r1")?.deployment.id)
                // What it serves from is broken while its process ends.
                let program = parts.workspace.source(id) + "/serve.py"
                let whole = try String(contentsOfFile: program, encoding: .utf8)
                try "import sys; print('no such module'); sys.exit(3)".write(
                    toFile: program, atomically: true, encoding: .utf8)
                _ = try await world.score(parts.client, path: "/exit")
                try await world.until(parts, run: "r1") { $0.deployment.trouble != nil }
                try await world.look(parts)
                #expect(try await world.drifts() == ["deployment.drifted 1"])
                try whole.write(toFile: program, atomically: true, encoding: .utf8)
                try await world.until(parts, run: "r1") { $0.deployment.trouble == nil && $0.deployment.isUp }
                try await world.look(parts)
                #expect(try await world.drifts() == ["deployment.drifted 1", "deployment.settled 1"])
            }
        }
    }
}
