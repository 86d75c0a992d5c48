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
        var description: String { "\(method) was answered with \(status)" }
    }

    func open(worker: String, verbs: [String], slots: Int) async throws -> WorkerSession {
        let reply = try await request(
            "session.open",
            [
                "worker": .string(worker), "verbs": .array(verbs.map(JSONValue.string)), "labels": [:],
                "slots": .int(slots),
            ])
        guard reply.status == 200, let id = reply.params["session"]?.string else {
            throw Refused(method: "session.open", status: reply.status)
        }
        let ttl = reply.params["ttl"]?.double ?? 15
        return WorkerSession(id: id, interval: .milliseconds(Int(ttl * 1000 / 3)))
    }

    /// The items to be canceled; `nil` when the session is gone.
    func keepAlive(_ session: WorkerSession) async throws -> [String]? {
        let reply = try await request("session.keepalive", ["session": .string(session.id)])
        if reply.status == 404 { return nil }
        guard reply.status == 200 else { throw Refused(method: "session.keepalive", status: reply.status) }
        return (reply.params["canceled"]?.array ?? []).compactMap(\.string)
    }

    /// Waits up to 20 s for steps; `nil` when the session is gone.
    func claim(_ session: WorkerSession, most: Int) async throws -> [StepWork]? {
        let reply = try await bus.request(
            "claim", to: Self.target, params: ["session": .string(session.id), "max": .int(most)],
            timeout: .seconds(25))
        switch reply.status {
        case 200:
            struct Claimed: Decodable { var items: [StepWork] }
            return try Wire.decode(Claimed.self, from: try Wire.encode(reply.params)).items
        case 204: return []
        case 404: return nil
        default: throw Refused(method: "claim", status: reply.status)
        }
    }

    func checkpoint(item: String, token: Int64, state: JSONValue) async throws {
        let reply = try await request(
            "checkpoint", ["item": .string(item), "token": .int(Int(token)), "state": state])
        guard reply.status == 200 else { throw Refused(method: "checkpoint", status: reply.status) }
    }

    /// `false`: the step is lost to a newer grant, or is over.
    func complete(item: String, token: Int64, result: StepResult, head: LogPosition?) async throws -> Bool {
        struct Completion: Encodable {
            var item: String
            var token: Int64
            var result: StepResult
            var head: [LogPosition]
        }
        let completion = Completion(item: item, token: token, result: result, head: head.map { [$0] } ?? [])
        let params = try Wire.decode(JSONValue.self, from: try Wire.encode(completion))
        let reply = try await request("complete", params)
        switch reply.status {
        case 200: return true
        case 404, 409: return false
        default: throw Refused(method: "complete", status: reply.status)
        }
    }

    private func request(_ method: String, _ params: JSONValue) async throws -> BusReply {
        try await bus.request(method, to: Self.target, params: params, timeout: .seconds(5))
    }
}
