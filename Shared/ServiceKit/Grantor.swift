import Bus
import Foundation
import Messages

/// A worker's session with the trigger-service.
struct WorkerSession: Sendable, Hashable {
    var id: String
    /// Between two keepalives: a third of the time to live.
    var interval: Duration
}

/// The requests of a worker to the trigger-service (bus.md 6).
struct Grantor: Sendable {
    private static let target = Source.triggerService.name

    let bus: BusConnection

    struct Refused: Error, CustomStringConvertible {
        let method: String
        let status: Int
        let reason: String

        init(_ method: String, _ reply: BusReply) {
            self.method = method
            status = reply.status
            reason = reply.error ?? "without a reason"
        }

        var description: String { "\(method) was answered with \(status): \(reason)" }
    }

    /// Whether the same request would end so again: what it says, or what is said to it, cannot be carried or read.
    static func isFinal(_ error: any Error) -> Bool {
        switch error {
        case let refused as Refused: [400, 413].contains(refused.status)
        case BusError.tooLarge, BusError.malformed: true
        case is EncodingError, is DecodingError: true
        default: false
        }
    }

    func open(worker: String, verbs: [String], slots: Int) async throws -> WorkerSession {
        let reply = try await request(
            "session.open", SessionOpenParams(worker: worker, verbs: verbs, labels: [:], slots: slots))
        guard reply.status == 200 else { throw Refused("session.open", reply) }
        let opened = try read(SessionOpened.self, reply)
        return WorkerSession(id: opened.session, interval: .milliseconds(opened.ttl * 1000 / 3))
    }

    /// The items to be canceled; `nil` when the session is gone.
    func keepAlive(_ session: WorkerSession) async throws -> [String]? {
        let reply = try await request("session.keepalive", SessionParams(session: session.id))
        if reply.status == 404 { return nil }
        guard reply.status == 200 else { throw Refused("session.keepalive", reply) }
        return try read(SessionKept.self, reply).canceled
    }

    /// Waits up to 20 s for steps; `nil` when the session is gone.
    func claim(_ session: WorkerSession, most: Int) async throws -> [StepWork]? {
        let reply = try await request("claim", ClaimParams(session: session.id, max: most), timeout: .seconds(25))
        switch reply.status {
        case 200: return try read(Claimed.self, reply).items
        case 204: return []
        case 404: return nil
        default: throw Refused("claim", reply)
        }
    }

    func checkpoint(item: String, token: Int64, state: JSONValue) async throws {
        let reply = try await request("checkpoint", CheckpointParams(item: item, token: token, state: state))
        guard reply.status == 200 else { throw Refused("checkpoint", reply) }
    }

    /// `false`: the step is lost to a newer grant, or is over.
    func complete(item: String, token: Int64, result: StepResult, head: LogPosition?) async throws -> Bool {
        let reply = try await request(
            "complete", CompleteParams(item: item, token: token, result: result, head: head.map { [$0] } ?? []))
        switch reply.status {
        case 200: return true
        case 404, 409: return false
        default: throw Refused("complete", reply)
        }
    }

    private func request(
        _ method: String, _ params: some Encodable, timeout: Duration = .seconds(5)
    ) async throws -> BusReply {
        let params = try Wire.tree(params)
        return try await bus.request(method, to: Self.target, params: params, timeout: timeout)
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ reply: BusReply) throws -> Value {
        try Wire.decode(type, from: Wire.encode(reply.params))
    }
}
