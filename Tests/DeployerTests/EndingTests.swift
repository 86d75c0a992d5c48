import Foundation
import GRDB
import HTTPClient
import ServiceKit
import ServiceLifecycle
import Store
import Testing

@testable import Deployer

/// A replica that ends, while the process that is to answer runs nowhere.
@Suite(.timeLimit(.minutes(2))) struct EndingTests {
    /// The world's endpoint, served by a second replica of which each look for its model is told; ended by `end`.
    private func inReplica(
        _ body: (_ port: Int, _ client: HTTPClient, _ looks: AsyncStream<Void>, _ end: () async -> Void) async throws
            -> Void
    ) async throws {
        let patient = try Settings(["MARTLET_DEPLOYER_HOLD_SECONDS": "600"])
        try await inWorld(settings: patient) { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
            }
            // Nobody listens there any more.
            try await world.context.store.write { tx in
                try tx.db.execute(sql: "UPDATE deployment SET home = 'http://127.0.0.1:1'")
                try tx.db.execute(sql: "UPDATE revision SET number = number + 1")
            }
            let (looks, look) = AsyncStream.makeStream(of: Void.self)
            let replica = DeployerParts(
                context: world.context, settings: world.settings,
                home: {
                    look.yield()
                    return "http://elsewhere:1"
                }, listening: { nil })
            try await replica.routes.load()
            let file = world.context.paths.root + "/replica.json"
            let server = HealthServer(
                host: "127.0.0.1", port: 0, addressFile: file, readiness: Readiness(), metrics: MetricsRegistry(),
                logger: world.context.logger, routes: { GatewayRoutes(parts: replica).add(to: $0) })
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: server)], logger: world.context.logger))
            let running = Task { try await group.run() }
            defer { running.cancel() }
            while ServiceAddress.read(from: file) == nil { try await Task.sleep(for: .milliseconds(5)) }
            let port = try #require(ServiceAddress.read(from: file)?.port)
            try await body(port, replica.client, looks) {
                await group.triggerGracefulShutdown()
                _ = await running.result
            }
        }
    }

    private func score(
        _ port: Int, _ client: HTTPClient, headers: [(name: String, value: String)] = []
    ) async throws(HTTPClientError) -> HTTPResponse {
        try await client.send(
            HTTPRequest(
                method: "POST", url: "http://127.0.0.1:\(port)/endpoints/api/score", headers: headers,
                body: Data(#"{"data":[[1]]}"#.utf8), timeout: .seconds(60)))
    }

    @Test func `a request that waits is given back without an answer, and the replica ends at once`() async throws {
        try await inReplica { port, client, looks, end in
            let asking = Task { try await self.score(port, client) }
            for await _ in looks { break }
            let began = ContinuousClock.now
            await end()
            #expect(began.duration(to: .now) < .seconds(30))
            let lost = await #expect(throws: HTTPClientError.self) { try await asking.value }
            guard case .lost = lost else {
                Issue.record("\(String(describing: lost))")
                return
            }
        }
    }

    @Test func `a replica that asks is told, and does the waiting itself`() async throws {
        try await inReplica { port, client, _, end in
            let answer = try await self.score(port, client, headers: [(Gateway.passedOn, "1")])
            #expect(answer.status == 503 && answer.header(GivenBack.mark) == nil)
            await end()
        }
    }
}
