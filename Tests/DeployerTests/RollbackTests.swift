import Foundation
import HTTPClient
import Messages
import ServiceKit
import Store
import Testing

@testable import Deployer

@Suite(.serialized, .timeLimit(.minutes(5))) struct RollbackTests {
    @Test func `D5 a person's rollback starts the version before again and answers`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                for (version, content) in [(1, "one"), (2, "two")] {
                    try await world.register(version, content, to: parts)
                    _ = try await world.deploy(version, run: "r\(version)", by: parts)
                    _ = try await world.smokeTest(run: "r\(version)", by: parts)
                }
                try await world.until(parts, run: "r1") { $0.deployment.phase == .ended }
                for endpoint in ["api", "nowhere"] {
                    try await world.tell(RollbackRequested(endpoint: endpoint), id: "c-\(endpoint)", to: parts)
                    let intents = try await world.context.store.dueIntents(
                        at: Timestamp(.now), kinds: ["rollback"], limit: 9)
                    for intent in intents.due {
                        guard case .done(let commit) = await RollbackEffect(parts: parts).carryOut(intent) else {
                            Issue.record("not done")
                            continue
                        }
                        try await world.context.store.write { tx in
                            try tx.dropIntent(intent.kind, id: intent.id)
                            try commit(tx)
                        }
                    }
                }
                try await parts.routes.load()
                let expected = [
                    "deployment.rolled_back 2 1", "endpoint.changed 1 serving", "deployment.command_answered true",
                    "deployment.command_answered false",
                ]
                #expect(try await world.said().suffix(4) == expected[...])
                try await world.until(parts, run: "r2") { $0.deployment.phase == .ended }
                #expect(try await world.score(parts.client).header("x-martlet-version") == "1")
            }
        }
    }

    @Test func `D5 a rollback that another one came before fails its step, or is refused, and takes nothing back`()
        async throws
    {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                for (version, content) in [(1, "one"), (2, "two")] {
                    try await world.register(version, content, to: parts)
                    _ = try await world.deploy(version, run: "r\(version)", by: parts)
                    _ = try await world.smokeTest(run: "r\(version)", by: parts)
                }
                let work = try await world.work("deploy/rollback", run: "r3", ["target": "api"])
                let late = try await RollbackStep(parts: parts).perform(work)
                try await world.tell(RollbackRequested(endpoint: "api"), id: "c-late", to: parts)
                let first = try await RollbackStep(parts: parts).perform(work)
                #expect(try await world.settle(first).outcome == .succeeded)
                let failure = await #expect(throws: StepFailure.self) { try await world.settle(late) }
                #expect(failure?.description == "endpoint 'api' serves another deployment by now")
                let intents = try await world.context.store.dueIntents(
                    at: Timestamp(.now), kinds: [RollbackEffect.kind], limit: 9)
                let intent = try #require(intents.due.first)
                guard case .done(let commit) = await RollbackEffect(parts: parts).carryOut(intent) else {
                    Issue.record("not done")
                    return
                }
                try await world.context.store.write { tx in try commit(tx) }
                #expect(try await world.said().last == "deployment.command_answered false")
                #expect(try await world.said().count { $0.hasPrefix("deployment.rolled_back") } == 1)
            }
        }
    }
}
