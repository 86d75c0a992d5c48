import Bus
import Foundation
import Messages
import ServiceKit
import Store

/// The bus requests of workers, as methods of this service (bus.md 6).
struct SessionRequests: Sendable {
    let sessions: Sessions
    let store: StateStore
    let dispatcher: Dispatcher

    var handlers: [String: RequestHandler] {
        [
            "session.open": answering { try await open($0) },
            "session.keepalive": answering { try await keepAlive($0) },
            "claim": answering { try await claim($0) },
            "checkpoint": answering { try await checkpoint($0) },
            "complete": answering { try await complete($0) },
            "fail": answering { try await fail($0) },
        ]
    }

    /// A malformed question is refused with the place of the mistake; a database that cannot write means "later".
    private func answering(_ body: @escaping @Sendable (BusRequest) async throws -> BusReply) -> RequestHandler {
        { request in
            do {
                return try await body(request)
            } catch let error as DecodingError {
                return .refused(400, "\(request.method): \(error)")
            } catch {
                return .refused(503, "\(request.method): \(error)")
            }
        }
    }

    private func open(_ request: BusRequest) async throws -> BusReply {
        let params = try read(SessionOpenParams.self, request)
        let slots = params.slots ?? 1
        guard !params.worker.isEmpty, params.worker.utf8.count <= 200, (1...10_000).contains(slots),
            (1...200).contains(params.verbs.count), params.verbs.allSatisfy({ $0.utf8.count <= 200 })
        else {
            return .refused(400, "session.open: a worker's name, 1 to 200 verbs and 1 to 10000 slots are needed")
        }
        let id = try await sessions.open(
            worker: WorkerOwner(user: request.user).name(params.worker), verbs: params.verbs,
            labels: params.labels ?? [:], slots: slots)
        return try .ok(encoding: SessionOpened(session: id, ttl: Int(Leases.term.components.seconds)))
    }

    private func keepAlive(_ request: BusRequest) async throws -> BusReply {
        let params = try read(SessionParams.self, request)
        guard let canceled = try await sessions.keepAlive(params.session) else { return unknown }
        return try .ok(encoding: SessionKept(ttl: Int(Leases.term.components.seconds), canceled: canceled))
    }

    private func claim(_ request: BusRequest) async throws -> BusReply {
        let params = try read(ClaimParams.self, request)
        let most = min(max(params.max ?? 1, 1), 256)
        // The asker hears of it before its own patience ends.
        let deadline = request.deadline - .milliseconds(500)
        guard let works = try await sessions.claim(params.session, most: most, within: deadline) else {
            return unknown
        }
        if works.isEmpty { return BusReply(status: 204) }
        return try .ok(encoding: Claimed(items: works))
    }

    private func checkpoint(_ request: BusRequest) async throws -> BusReply {
        let params = try read(CheckpointParams.self, request)
        if let reason = StepRoom.refusal(ofCheckpoint: params.state) {
            return .refused(413, "checkpoint: \(reason)")
        }
        let dispatcher = dispatcher
        let accepted = try await store.write {
            try dispatcher.checkpoint(
                params.item, token: params.token, params.state, by: WorkerOwner(user: request.user), $0)
        }
        return accepted ? .ok() : lost(params.item)
    }

    private func complete(_ request: BusRequest) async throws -> BusReply {
        try await accept(try read(CompleteParams.self, request), request.user)
    }

    private func fail(_ request: BusRequest) async throws -> BusReply {
        let params = try read(FailParams.self, request)
        let result = StepResult(.failed, outputs: params.outputs ?? [:], message: params.message ?? "the worker failed")
        return try await accept(
            CompleteParams(item: params.item, token: params.token, result: result, head: params.head), request.user)
    }

    private func accept(_ completion: CompleteParams, _ user: String) async throws -> BusReply {
        let dispatcher = dispatcher
        switch try await store.write({ try dispatcher.complete(completion, by: WorkerOwner(user: user), $0) }) {
        case .accepted, .repeated: return .ok()
        case .lost: return lost(completion.item)
        }
    }

    private func read<Params: Decodable>(_ type: Params.Type, _ request: BusRequest) throws -> Params {
        try Wire.decode(type, from: try Wire.encode(request.params))
    }

    private var unknown: BusReply { .refused(404, "the session is over; open another") }

    private func lost(_ item: String) -> BusReply {
        .refused(409, "\(item) is held by somebody else or over; stop working on it")
    }
}
