import Artifacts
import Bus
import Foundation
import Hummingbird
import Logging
import Messages
import ServiceKit
import Store

/// The console's API: everything that it needs from outside, and all of its routes.
struct API: Sendable {
    static let mostCommandBytes = 40_960

    let store: StateStore
    let artifacts: ArtifactStore
    let hosts: HostRule
    let logger: Logger
    /// The state of the suite's services.
    let health: @Sendable () async -> [JSONValue]
    /// Hands an outsider's event to the log `ingest`, in somebody's name; answers once it is on disk.
    let publish: @Sendable (_ event: Data, _ actor: String) async throws -> BusReply
    /// What each service says of its logs.
    var logs: @Sendable () async -> [JSONValue] = { [] }
    /// How the scheduled backups are going; `nil` when there are none.
    var backups: @Sendable () -> BackupStatus? = { nil }
    /// The artifacts that any service refers to.
    var references: @Sendable () async throws -> ReferenceSet = { ReferenceSet() }

    func add(to router: Router<BasicRequestContext>) {
        let gate = Gate(store: store, hosts: hosts, logger: logger)
        let routes = Routes(router: router, gate: gate)
        addStatus(routes)
        addRepositories(routes)
        addRuns(routes)
        addLogs(routes)
        addApprovals(routes)
        addModels(routes)
        addEndpoints(routes)
        addEvents(routes)
        addWhy(routes)
        addDeadLetters(routes)
        addJournal(routes)
        addArtifacts(routes)
        addCommands(routes)
        addTokens(routes)
        RunPage(gate: gate, store: store).add(to: router)
        for method in [HTTPRequest.Method.get, .post, .put, .delete, .patch] {
            // The router does not go back to a shorter prefix once a longer one fits.
            for path in ["/api/v1/**", "/api/**", "/runs", "/runs/{run}/**", "/**", "/"] {
                router.on(RouterPath(path), method: method) { request, _ in
                    try Reply(
                        Refusal(
                            404, "\(request.method) \(request.uri.path) is not a door of this API",
                            hint: "GET /api/v1/status is one; the CLI's --help lists what can be asked")
                    ).response()
                }
            }
        }
    }

    /// Writes down a command and answers 202 with its id once it is on disk.
    func accept<Body: EventBody>(
        _ body: Body, _ call: Call, subject: String, key: String, replayOf: String? = nil
    ) async throws -> Reply {
        // With its envelope it has to stay below what the bus carries.
        guard try Wire.encode(body).count <= Self.mostCommandBytes else {
            throw Refusal(
                413, "the command is longer than \(Self.mostCommandBytes) bytes", hint: "send less, or say it shorter")
        }
        let idempotency = try call.idempotency()
        let written = try idempotency.map { _ in try call.written() }
        let person = call.person
        let command = try await store.write { transaction in
            try transaction.command(
                body, subject: subject, key: key, by: person, idempotency: idempotency, written: written,
                replayOf: replayOf)
        }
        return Reply(command)
    }
}

extension Reply {
    /// A command that is on disk.
    init(_ command: AcceptedCommand) {
        self.init(
            [
                "command": .string(command.id), "repeated": .bool(command.repeated),
                "url": .string("/api/v1/commands/\(command.id)"),
            ],
            status: .accepted)
    }
}
