import Foundation
import Messages
import Testing

@testable import Deployer

/// How long a start and the requests of the version before may take, as `deploy/model` says.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DrainTests {
    /// Version 1 with a request under way that does not end, replaced by version 2.
    private func inReplacement(
        deployer drain: String, _ times: [String: JSONValue],
        _ body: (_ world: World, _ parts: DeployerParts, _ busy: RouteTable.Backend) async throws -> Void
    ) async throws {
        let settings = try Settings(["MARTLET_DEPLOYER_DRAIN_SECONDS": drain])
        try await inWorld(settings: settings) { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                try await world.register(2, "two", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                _ = try await world.smokeTest(run: "r1", by: parts)
                try await parts.routes.load()
                guard case .backend(let busy) = parts.routes.begin("api") else {
                    Issue.record("nothing serves")
                    return
                }
                #expect(busy.version == 1)
                let deployed = try await world.deploy(2, run: "r2", times: times, by: parts)
                #expect(deployed.outcome == .succeeded)
                _ = try await world.smokeTest(run: "r2", by: parts)
                try await body(world, parts, busy)
            }
        }
    }

    @Test func `the old process ends when its time is up, whatever is under way`() async throws {
        try await inReplacement(deployer: "3600", ["drain": "100ms"]) { world, parts, _ in
            try await world.until(parts, run: "r1") { $0.deployment.phase == .ended }
            #expect(try await world.processes(of: "r1").isEmpty)
        }
    }

    @Test func `the old process finishes its requests within its time`() async throws {
        try await inReplacement(deployer: "0", ["drain": "1h"]) { world, parts, busy in
            try await world.until(parts, run: "r1") { $0.deployment.phase == .retiring }
            #expect(try await !world.processes(of: "r1").isEmpty)
            parts.routes.finished(busy)
            try await world.until(parts, run: "r1") { $0.deployment.phase == .ended }
            #expect(try await world.processes(of: "r1").isEmpty)
        }
    }

    @Test func `a version that is not healthy within the step's time fails`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "ill", to: parts)
                let deployed = try await world.deploy(1, run: "r1", times: ["timeout": "500ms"], by: parts)
                #expect(deployed.outcome == .failed)
                #expect(deployed.message?.contains("was not healthy within 0.5 s") == true, "\(deployed)")
            }
        }
    }
}
