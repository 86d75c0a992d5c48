import Artifacts
import Bus
import EventLog
import Foundation
import GRDB
import HTTPClient
import Logging
import Messages
import Processes
import ServiceKit
import Store
import Synchronization

@testable import Deployer

/// A deployer with a real database, a real gateway on a port of its own, and real serving processes in Python.
final class World: Sendable {
    let context: ServiceContext
    let settings: Settings
    private let gateway: Task<Void, any Error>

    static let program = """
        import http.server, json, os, sys, time
        model = open(os.environ["MARTLET_MODEL"] + "/model.txt").read()
        if model == "dies": print("no such column: age"); sys.exit(3)
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *args): pass
            def answer(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                self.answer(503 if model == "ill" else 200, {"pid": os.getpid(), "trace": self.headers.get("traceparent")})
            def do_POST(self):
                rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["data"]
                if self.path == "/exit": os._exit(1)
                if model == "broken": return self.answer(500, {"error": "KeyError: age"})
                time.sleep(0.005)
                self.answer(200, {"result": [model for _ in rows]})
        class Server(http.server.ThreadingHTTPServer): request_queue_size = 256
        Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
        """

    init(_ folder: String, settings: Settings) async throws {
        let paths = DataPaths(root: folder)
        try paths.prepare(for: .deployer)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let store = try StateStore.open(
            path: paths.database(.deployer), source: .deployer, migrate: DeployerStore.migrate)
        context = ServiceContext(
            source: .deployer, store: store, bus: BusConnection(address: try .embedded(in: paths.bus), logger: logger),
            artifacts: ArtifactStore(root: paths.artifacts), secrets: Secrets(paths: paths), paths: paths,
            logger: logger)
        self.settings = settings
        let parts = DeployerParts(context: context, settings: settings, listening: { nil })
        let server = HealthServer(
            host: "127.0.0.1", port: 0, addressFile: paths.address(.deployer), readiness: Readiness(),
            metrics: MetricsRegistry(), logger: logger, routes: { GatewayRoutes(parts: parts).add(to: $0) })
        gateway = Task { try await server.run() }
        served = parts
    }

    /// The pieces behind the gateway: one route table for all lives of the deployer in a test.
    private let served: DeployerParts

    /// One life of the deployer: killed at the end, as `kill -9` would, leaving its processes alone.
    func live(_ body: (DeployerParts) async throws -> Void) async throws {
        let path = context.paths.address(.deployer)
        let parts = DeployerParts(
            context: context, settings: settings,
            listening: {
                ServiceAddress.read(from: path).map { "http://127.0.0.1:\($0.port)" }
            })
        let relay = Task { [served] in
            while !Task.isCancelled {
                let known = parts.bell.rings
                try await served.routes.load()
                await parts.bell.wait(past: known)
            }
        }
        let supervisor = Task { await Supervisor(parts: parts).run() }
        func end() async {
            supervisor.cancel()
            await supervisor.value
            relay.cancel()
        }
        do {
            try await body(parts)
            await end()
        } catch {
            await end()
            throw error
        }
    }

    func close() async {
        let all = try? await context.store.read { db in try String.fetchAll(db, sql: "SELECT id FROM deployment") }
        let processes = ServingProcess(
            context: context, workspace: Workspace(artifacts: context.artifacts, paths: context.paths))
        for id in all ?? [] { await processes.end(id, nil, grace: .zero) }
        gateway.cancel()
        _ = try? await gateway.value
        try? context.store.close()
        try? FileManager.default.removeItem(atPath: context.paths.root)
    }
}

/// A world of its own, gone with all its processes at the end.
func inWorld(settings: Settings? = nil, _ body: (World) async throws -> Void) async throws {
    let folder = NSTemporaryDirectory() + "deployer-" + UUID().uuidString.prefix(8)
    let world = try await World(
        folder,
        settings: settings
            ?? Settings(
                ["MARTLET_DEPLOYER_HEALTH_SECONDS": "20", "MARTLET_DEPLOYER_HOLD_SECONDS": "5"]))
    do {
        try await body(world)
        await world.close()
    } catch {
        await world.close()
        throw error
    }
}

// MARK: - What others do

extension World {
    func tell<Body: EventBody>(_ body: Body, id: String = UUID().uuidString, to parts: DeployerParts) async throws {
        let source = Body.source ?? .console
        let envelope = Envelope(
            id: id, source: "/martlet/\(source)", type: Body.eventType, subject: "test",
            time: Timestamp(milliseconds: 0), partitionkey: "test", causation: .first(actor: "user:ada"),
            data: try Wire.decode(JSONValue.self, from: try Wire.encode(body)))
        let event = ReceivedEvent(envelope: envelope, position: LogPosition(source: source, epoch: 1, seq: 1))
        try await context.store.write { tx in try DeployerEvents(rollouts: parts.rollouts).handle(event, tx) }
    }

    /// A version whose model file says `content`, of a project with the target `api`.
    func register(_ version: Int, _ content: String, to parts: DeployerParts) async throws {
        let folder = context.paths.root + "/model-\(version)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try content.write(toFile: folder + "/model.txt", atomically: true, encoding: .utf8)
        let artifact = try await context.artifacts.pack(directory: folder)
        let target: JSONValue = ["kind": "process", "command": "exec python3 serve.py", "health": "/healthz"]
        try await tell(
            ProjectLoaded(
                project: "p", repository: "p", sha: "c0ffee", digest: "d", pipelines: [], models: [], notifications: [],
                targets: ["api": target]), to: parts)
        try await tell(
            ModelRegistered(model: "m", version: version, artifact: artifact, metrics: [:], params: [:], tags: [:]),
            to: parts)
    }

    func work(_ verb: String, run: String, _ with: JSONValue) async throws -> StepWork {
        let folder = context.paths.root + "/commit"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.program.write(toFile: folder + "/serve.py", atomically: true, encoding: .utf8)
        let snapshot = try await context.artifacts.pack(directory: folder).digest
        return StepWork(
            item: "\(run)/deploy/\(verb)/1", token: 1, job: "deploy", step: verb, attempt: 1, verb: verb, with: with,
            variables: [:], timeoutSeconds: nil,
            run: RunReference(
                id: run, number: 1, url: "", project: "p", pipeline: "cd", git: nil, snapshot: snapshot, model: "m"),
            after: [], checkpoint: nil, causation: .first(actor: "user:ada"))
    }

    /// - Parameter times: `timeout` and `drain` of the step.
    func deploy(
        _ version: Int, run: String, times: [String: JSONValue] = [:], by parts: DeployerParts
    ) async throws -> StepResult {
        let with = times.merging(["target": "api", "version": .int(version)]) { $1 }
        let work = try await work("deploy/model", run: run, .object(with))
        return try await settle(try await DeployModelStep(parts: parts).perform(work))
    }

    func smokeTest(run: String, onFail: JSONValue = "rollback", by parts: DeployerParts) async throws -> StepResult {
        let work = try await work(
            "deploy/smoke-test", run: run,
            [
                "target": "api", "request": ["data": [[1, 2], [2, 1]]], "expect": ["json": ["result": ["length": 2]]],
                "retry": ["max": 2, "every": "10ms"], "headers": ["traceparent": "auto"], "on_fail": onFail,
            ])
        return try await settle(try await SmokeTestStep(parts: parts).perform(work))
    }

    func settle(_ ending: StepEnding) async throws -> StepResult {
        try await context.store.write { tx in try ending.commit(tx) }
        return ending.result
    }

    /// What the deployer said, oldest first, in few words.
    func said() async throws -> [String] {
        let head = try await context.store.head(of: .deployer)
        let records = try await context.store.records(
            of: .deployer, epoch: head.epoch, after: 0, limit: 1000, maxBytes: .max)
        return try records.map { record in
            let envelope = try Wire.decode(Envelope.self, from: record.body)
            let about = ["version", "outcome", "state", "restored", "accepted"]
                .compactMap { key in envelope.data[key]?.scalarText }
            return ([shortEventName(envelope.type)] + about).joined(separator: " ")
        }
    }

    func score(_ client: HTTPClient, path: String = "/score", endpoint: String = "api") async throws(HTTPClientError)
        -> HTTPResponse
    {
        let port = ServiceAddress.read(from: context.paths.address(.deployer))?.port ?? 0
        return try await client.send(
            HTTPRequest(
                method: "POST", url: "http://127.0.0.1:\(port)/endpoints/\(endpoint)\(path)",
                headers: [("content-type", "application/json")], body: Data(#"{"data":[[1]]}"#.utf8)))
    }

    func record(of run: String) async throws -> DeploymentRecord? {
        try await context.store.read { db in try RolloutQueries.deployment(item: "\(run)/deploy/deploy/model/1", db) }
    }

    /// Awaits a condition on what the store says.
    func until(_ parts: DeployerParts, run: String, _ isSo: @escaping @Sendable (DeploymentRecord) -> Bool) async throws
    {
        _ = try await firstOf(
            {
                try await parts.bell.until { try await self.record(of: run).flatMap { isSo($0) ? true : nil } }
            },
            {
                try await Task.sleep(for: .seconds(30))
                throw StepFailure("waited too long; last: \(String(describing: try await self.record(of: run)))")
            })
    }

    func processes(of run: String) async throws -> [ProcessIdentity] {
        guard let id = try await record(of: run)?.deployment.id else { return [] }
        return ProcessTable.find(environment: ServingProcess.marker, is: id)
    }
}

/// What clients saw, in order.
final class Tally: Sendable {
    private let seen = Mutex<[String]>([])

    var answers: [String] { seen.withLock { $0 } }
    func add(_ answer: String) { seen.withLock { $0.append(answer) } }
}

extension World {
    /// A client that asks for one score after the other until it is canceled.
    func keepScoring(_ client: HTTPClient, _ tally: Tally) -> Task<Void, any Error> {
        Task {
            while !Task.isCancelled {
                let answer: HTTPResponse
                do throws(HTTPClientError) {
                    answer = try await score(client)
                } catch .canceled {
                    return
                } catch {
                    tally.add("\(error)")
                    continue
                }
                tally.add("\(answer.status) \(answer.header("x-martlet-version") ?? "")")
            }
        }
    }
}
