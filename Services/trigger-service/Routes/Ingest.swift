import Bus
import Foundation
import Messages
import ServiceKit
import Store

/// `publish`: events of outsiders, sequenced in the log `ingest` and acknowledged after the commit (bus.md 6).
struct Ingest: Sendable {
    static let largest = 48 << 10

    let store: StateStore
    let dispatcher: Dispatcher

    var handlers: [String: RequestHandler] {
        ["publish": { await publish($0) }]
    }

    private func publish(_ request: BusRequest) async -> BusReply {
        do {
            let bytes = try request.body.first ?? Wire.encode(request.params["event"] ?? .null)
            let event = try OutsideEvent(bytes, from: Self.publisher(request))
            guard event.size <= Self.largest else {
                return .refused(
                    413,
                    "an event has at most \(Self.largest) bytes, this one \(event.size);"
                        + " put more into an artifact and refer to it")
            }
            let client = Self.mayName(request) ? nil : request.user
            switch try await store.write({ try take(event, key: client, $0) }) {
            case .success(let position):
                return .ok([
                    "source": .string(position.source.name), "epoch": .int(Int(position.epoch)),
                    "seq": .int(Int(position.seq)),
                ])
            case .failure(let refusal): return .refused(409, refusal.reason)
            }
        } catch let refusal as Refusal {
            return .refused(400, refusal.reason)
        } catch let error as DecodingError {
            return .refused(400, "not a CloudEvent in JSON: \(error)")
        } catch {
            return .refused(503, "\(error)")
        }
    }

    /// The console publishes in the name of the person whose token it has checked; nobody else speaks for others.
    private static func publisher(_ request: BusRequest) -> String {
        mayName(request) ? request.params["actor"]?.string ?? request.user : request.user
    }

    private static func mayName(_ request: BusRequest) -> Bool {
        ["local", Source.console.name].contains(request.user)
    }

    /// - Parameter client: whose key proved that it is the publisher; `nil` where none did.
    func take(
        _ event: OutsideEvent, key client: String?, _ transaction: Transaction
    ) throws -> Result<LogPosition, Refusal> {
        if let known = try transaction.publication(source: event.source, id: event.id) {
            if known.digest == event.digest { return .success(known.position) }
            return .failure(
                Refusal(
                    "the event \(event.id) of \(event.source) was published before with other content; give it another id"
                ))
        }
        let envelope = event.envelope(at: transaction.now)
        let position = try transaction.append(envelope, to: .ingest)
        try transaction.insert(
            Publication(source: event.source, id: event.id, digest: event.digest, position: position))
        try dispatcher.answer(envelope, key: client, transaction)
        return .success(position)
    }
}
