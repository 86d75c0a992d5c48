import Foundation
import GRDB
import HTTPClient
import Messages
import Processes
import ServiceKit
import Store
import Testing

@testable import Deployer

@Suite(.serialized, .timeLimit(.minutes(5))) struct ServingTests {
    @Test func `S2-26 a version is deployed, tested through its address, and keeps serving`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                let deployed = try await world.deploy(1, run: "r1", by: parts)
                #expect(deployed.outcome == .succeeded && deployed.outputs["endpoint"] == "api")
                #expect(deployed.outputs["previous"] == .null)
                #expect(deployed.outputs["scoring_uri"]?.string?.hasSuffix("/endpoints/api/score") == true)
                let tested = try await world.smokeTest(run: "r1", by: parts)
                #expect(tested.outcome == .succeeded && tested.message == "Smoke test successful.")
                let answer = try await world.score(parts.client)
                #expect(answer.status == 200 && answer.header("x-martlet-version") == "1")
                let expected = [
                    "deployment.started 1", "deployment.finished 1 succeeded", "endpoint.changed 1 serving",
                    "smoke_test.finished 1 succeeded",
                ]
                #expect(try await world.said() == expected)
            }
        }
    }

    @Test func `a new version takes over without one failed request, and the old process ends`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "two", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                _ = try await world.smokeTest(run: "r1", by: parts)
                let tally = Tally()
                let clients = (0..<4).map { _ in world.keepScoring(parts.client, tally) }
                let deployed = try await world.deploy(2, run: "r2", by: parts)
                #expect(deployed.outputs["previous"] == 1)
                _ = try await world.smokeTest(run: "r2", by: parts)
                try await world.until(parts, run: "r1") { $0.deployment.phase == .ended }
                #expect(try await world.processes(of: "r1").isEmpty)
                for client in clients { client.cancel() }
                for client in clients { _ = await client.result }
                let seen = tally.answers
                #expect(Set(seen) == ["200 1", "200 2"])
                #expect(seen.last == "200 2")
            }
        }
    }

    @Test func `X8 D4 a version that fails its test gives way to the one before, whose process never stopped`()
        async throws
    {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "broken", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                _ = try await world.smokeTest(run: "r1", by: parts)
                let process = try await world.record(of: "r1")?.process
                #expect(try await world.deploy(2, run: "r2", by: parts).outcome == .succeeded)
                let tested = try await world.smokeTest(run: "r2", by: parts)
                #expect(tested.outcome == .failed)
                let message = "Smoke test of version 2 failed after 2 attempts: expected status 200, got 500: "
                #expect(tested.message?.hasPrefix(message) == true)
                try await world.until(parts, run: "r2") { $0.deployment.phase == .ended }
                let answer = try await world.score(parts.client)
                #expect(answer.status == 200 && answer.header("x-martlet-version") == "1")
                #expect(try await world.record(of: "r1")?.process == process)
                let expected = [
                    "smoke_test.finished 2 failed", "deployment.rolled_back 2 1", "endpoint.changed 1 serving",
                ]
                #expect(try await world.said().suffix(3) == expected[...])
            }
        }
    }

    @Test func `X8 with on_fail fail a version that failed its test serves on for its run, and no longer`() async throws
    {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "broken", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                _ = try await world.smokeTest(run: "r1", by: parts)
                _ = try await world.deploy(2, run: "r2", by: parts)
                let tested = try await world.smokeTest(run: "r2", onFail: "fail", by: parts)
                #expect(tested.outcome == .failed && tested.outputs["rolled_back"] == false)
                #expect(try await world.score(parts.client).header("x-martlet-version") == "2")
                try await world.tell(
                    RunFinished(
                        run: "r2", number: 2, project: "p", pipeline: "cd", outcome: .failed, seconds: 1, outputs: [:]),
                    to: parts)
                try await world.until(parts, run: "r2") { $0.deployment.phase == .ended }
                #expect(try await world.score(parts.client).header("x-martlet-version") == "1")
                #expect(try await world.said().contains("deployment.rolled_back 2 1"))
            }
        }
    }

    @Test func `X8 a version that does not start leaves the one before serving and says what it wrote last`()
        async throws
    {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "dies", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let failed = try await world.deploy(2, run: "r2", by: parts)
                #expect(failed.outcome == .failed)
                #expect(failed.message?.contains("exit code 3\nno such column: age") == true)
                #expect(try await world.score(parts.client).header("x-martlet-version") == "1")
                #expect(try await world.said().last == "deployment.finished 2 failed")
            }
        }
    }

    @Test func `a process that never gets healthy fails in time and does not stay behind`() async throws {
        try await inWorld(settings: Settings(["MARTLET_DEPLOYER_HEALTH_SECONDS": "2"])) {
            (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "ill", to: parts)
                let failed = try await world.deploy(1, run: "r1", by: parts)
                #expect(failed.message?.contains("was not healthy within 2 s: GET /healthz answered 503") == true)
                try await world.until(parts, run: "r1") { $0.deployment.phase == .ended }
                #expect(try await world.processes(of: "r1").isEmpty)
            }
        }
    }

    @Test func `a stored time that no clock can count still lets its version get healthy`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
            }
            let process = try #require(try await world.record(of: "r1")?.process)
            await ProcessGroup.terminate(process, grace: .zero)
            try await world.context.store.write { tx in
                let text = try String.fetchOne(tx.db, sql: "SELECT CAST(recipe AS TEXT) FROM deployment") ?? ""
                var recipe = try Wire.decode(Recipe.self, from: Data(text.utf8))
                recipe.target.healthSeconds = 1e30
                try tx.db.execute(sql: "UPDATE deployment SET recipe = ?", arguments: [try Wire.encode(recipe)])
            }
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.until(parts, run: "r1") {
                    $0.process != process && $0.deployment.isUp && $0.process != nil
                }
                #expect(try await world.score(parts.client).status == 200)
            }
        }
    }

    @Test func `D12 after a restart the same process serves on`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
            }
            let process = try #require(try await world.record(of: "r1")?.process)
            #expect(process.isAlive)
            try await world.live { (parts: DeployerParts) async throws -> Void in
                // The step is granted again: it ends as it would have, with the same deployment.
                let again = try await world.deploy(1, run: "r1", by: parts)
                #expect(again.outcome == .succeeded)
                #expect(try await world.score(parts.client).status == 200)
                #expect(try await world.record(of: "r1")?.process == process)
                #expect(try await world.processes(of: "r1").count == 1)
            }
            #expect(try await world.said().count { $0.hasPrefix("deployment.") } == 2)
        }
    }

    @Test func `D12 a process started just before the kill is found again by its marker`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
            }
            let process = try #require(try await world.record(of: "r1")?.process)
            // As if the kill had come between the start and its recording.
            try await world.context.store.write { tx in
                try tx.db.execute(
                    sql: """
                        UPDATE deployment SET pid = NULL, start_time = NULL, boot = NULL, phase = 'starting',
                            outcome = NULL, up = 0
                        """)
                try tx.db.execute(sql: "UPDATE endpoint SET current = NULL")
            }
            try await world.live { (parts: DeployerParts) async throws -> Void in
                #expect(try await world.deploy(1, run: "r1", by: parts).outcome == .succeeded)
                #expect(try await world.record(of: "r1")?.process == process)
                #expect(try await world.processes(of: "r1") == [process])
            }
        }
    }

    @Test func `D12 a process that died while the deployer was away is started again`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
            }
            let process = try #require(try await world.record(of: "r1")?.process)
            await ProcessGroup.terminate(process, grace: .zero)
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.until(parts, run: "r1") {
                    $0.process != process && $0.deployment.isUp && $0.process != nil
                }
                #expect(try await world.score(parts.client).status == 200)
                let expected = ["endpoint.changed 1 unhealthy", "endpoint.changed 1 serving"]
                #expect(try await world.said().suffix(2) == expected[...])
            }
        }
    }

    @Test func `a serving process that dies is started again`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let process = try await world.record(of: "r1")?.process
                #expect(try await world.score(parts.client, path: "/exit").status == 502)
                try await world.until(parts, run: "r1") {
                    $0.process != process && $0.deployment.isUp && $0.process != nil
                }
                #expect(try await world.score(parts.client).status == 200)
                let expected = ["endpoint.changed 1 unhealthy", "endpoint.changed 1 serving"]
                #expect(try await world.said().suffix(2) == expected[...])
            }
        }
    }

    @Test func `a request waits while the process that is to answer it is started again`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let process = try #require(try await world.record(of: "r1")?.process)
                await ProcessGroup.terminate(process, grace: .zero)
                let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 { group.addTask { try await world.score(parts.client).status } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers == Array(repeating: 200, count: 8))
                #expect(try await world.record(of: "r1")?.process != process)
            }
        }
    }

    @Test func `what another container's replica serves is answered through that one`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let home = try #require(parts.gateway())
                try await world.context.store.write { tx in
                    try tx.db.execute(sql: "UPDATE deployment SET home = ?", arguments: [home])
                    try tx.db.execute(sql: "UPDATE revision SET number = number + 1")
                }
                let routes = RouteTable(store: world.context.store)
                try await routes.load()
                let neighbour = Gateway(
                    routes: routes, client: parts.client, settings: world.settings, metrics: world.context.metrics,
                    ownHome: { "http://elsewhere:1" })
                let request = Gateway.Request(
                    method: "POST", path: "/score", headers: [("content-type", "application/json")],
                    body: Data(#"{"data":[[1]]}"#.utf8))
                let answer = await neighbour.forward(request, to: "api")
                #expect(answer.status == 200 && answer.header("x-martlet-version") == "1")
                // Two that take each other for the home of a process do not send its requests to and fro.
                var passedOn = request
                passedOn.headers.append((Gateway.passedOn, "1"))
                #expect(await neighbour.forward(passedOn, to: "api").status == 503)
            }
        }
    }

    @Test func `a log makes room while its process serves, and the folders of forgotten deployments go`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let id = try #require(try await world.record(of: "r1")?.deployment.id)
                let log = parts.workspace.log(id)
                let file = try #require(FileHandle(forWritingAtPath: log))
                try file.seekToEnd()
                try file.write(contentsOf: Data(repeating: 10, count: 17 << 20))
                try file.close()
                try FileManager.default.createDirectory(
                    atPath: parts.workspace.source("forgotten"), withIntermediateDirectories: true)
                let care = WorkspaceCare(context: world.context, workspace: parts.workspace)
                care.trimLogs()
                let size = try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int
                #expect(size == 0)
                await care.removeForgotten()
                #expect(parts.workspace.deployments == [id])
                #expect(try await world.score(parts.client).status == 200)
            }
        }
    }

    @Test func `an unknown endpoint is a 404 that lists the known ones`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "broken", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let unknown = try await world.score(parts.client, endpoint: "nowhere")
                #expect(
                    unknown.status == 404 && String(decoding: unknown.body, as: UTF8.self).contains("there are: api"))
                // The first version fails its test: there is nothing to go back to.
                _ = try await world.smokeTest(run: "r1", by: parts)
                try await world.until(parts, run: "r1") { $0.deployment.phase == .ended }
                #expect(try await world.score(parts.client).status == 503)
                let port = parts.gateway() ?? ""
                let list = try await parts.client.send(HTTPRequest(url: port + "/endpoints"))
                #expect(String(decoding: list.body, as: UTF8.self).contains(#""state":"stopped""#))
            }
        }
    }

    @Test func `what the deployer does not know fails the step by name`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                let step = DeployModelStep(parts: parts)
                func message(_ with: JSONValue) async throws -> String {
                    let work = try await world.work("deploy/model", run: "r", with)
                    do { return try await step.perform(work).result.message ?? "" } catch { return "\(error)" }
                }
                let noProject = try await message(["target": "api", "version": 1])
                #expect(noProject == "project p declares no target 'api'; it has: none")
                try await world.register(1, "one", to: parts)
                let noVersion = try await message(["target": "api", "version": 9])
                #expect(noVersion == "model m has no version 9; register it first")
                let noTarget = try await message(["target": "web", "version": 1])
                #expect(noTarget == "project p declares no target 'web'; it has: api")
                let noTime = try await message(["target": "api", "version": 1, "timeout": 1e30])
                #expect(noTime == "with.timeout is not a time of at most 30 days; write '2m'")
            }
        }
    }

    @Test func `a version that was deleted is not deployed, which the step says`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.tell(ModelVersionDeleted(model: "m", version: 1), to: parts)
                await #expect(throws: StepFailure("version 1 of model m was deleted; deploy another one")) {
                    _ = try await world.deploy(1, run: "r", by: parts)
                }
                // The registry gave the number again: that one is there.
                try await world.register(1, "again", to: parts)
                #expect(try await world.deploy(1, run: "r", by: parts).outcome == .succeeded)
            }
        }
    }

    @Test func `a canceled step takes its starting process along and nothing else`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "ill", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let step = Task { try await world.deploy(2, run: "r2", by: parts) }
                try await world.until(parts, run: "r2") { _ in true }
                step.cancel()
                await #expect(throws: CancellationError.self) { try await step.value }
                try await world.until(parts, run: "r2") { $0.deployment.phase == .ended }
                #expect(try await world.record(of: "r2")?.deployment.outcome == .canceled)
                #expect(try await world.processes(of: "r2").isEmpty)
                #expect(try await world.score(parts.client).header("x-martlet-version") == "1")
            }
        }
    }
}
