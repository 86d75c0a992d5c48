import Artifacts
import Bus
import Foundation
import GRDB
import Hummingbird
import Logging
import Messages
import ServiceKit
import ServiceLifecycle
import Store
import Testing

@testable import Console

/// Tells of each request before it is answered.
private struct Arrivals: RouterMiddleware {
    typealias Context = BasicRequestContext

    let tell: @Sendable () -> Void

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        tell()
        return try await next(request, context)
    }
}

/// A console that ends while somebody waits at its door.
@Suite(.timeLimit(.minutes(2))) struct LongPollTests {
    @Test(arguments: ["/events?wait=20&type=run.queued", "/commands/c-1?wait=20"])
    func `who waits is answered with what there is when the console ends`(path: String) async throws {
        let chronicle = try Chronicle()
        try await chronicle.store.write { transaction in
            try transaction.db.execute(
                sql: """
                    INSERT INTO commands (id, type, actor, asked, state, request)
                    VALUES ('c-1', 'command.run_requested', 'user:kim', '2026-01-31T12:00:00.000Z', 'waiting', '{}')
                    """)
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let api = API(
            store: chronicle.store, artifacts: ArtifactStore(root: chronicle.folder + "/artifacts"), hosts: HostRule(),
            logger: logger, health: { [] }, publish: { _, _ in .refused(503, "nobody is there") })
        try await AdminToken.ensure(at: chronicle.folder + "/admin", in: chronicle.store)
        let token = try String(contentsOfFile: chronicle.folder + "/admin", encoding: .utf8)
        let (requests, request) = AsyncStream.makeStream(of: Void.self)
        let file = chronicle.folder + "/address.json"
        let door = HealthServer(
            host: "127.0.0.1", port: 0, addressFile: file, readiness: Readiness(), metrics: MetricsRegistry(),
            logger: logger,
            routes: { router in
                router.add(middleware: Arrivals { request.yield() })
                api.add(to: router)
            })
        let group = Ending.group(of: [.init(service: door)], logger: logger)
        let running = Task { try await Ending.run(group, logger: logger) }
        defer { running.cancel() }
        while ServiceAddress.read(from: file) == nil { try await Task.sleep(for: .milliseconds(5)) }
        let port = try #require(ServiceAddress.read(from: file)?.port)
        let caller = Caller(
            url: "http://127.0.0.1:\(port)", token: token.trimmingCharacters(in: .whitespacesAndNewlines))
        let asking = Task { try await caller.ask("GET", "/api/v1" + path).status }
        for await _ in requests { break }
        await group.triggerGracefulShutdown()
        try await running.value
        // What is dropped since the time to end is over gets no such answer.
        #expect(try await asking.value == 200)
    }
}
