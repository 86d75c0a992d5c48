import Bus
import Foundation
import Messages
import ServiceKit
import Store

/// Events of outsiders, sequenced in the log `ingest` and acknowledged after the commit (bus.md 6): by `publish` on the
/// bus, and by `POST /events`.
struct Ingest: Sendable {
    static let largest = 48 << 10

    let store: StateStore
    let dispatcher: Dispatcher

    /// The id was used for another event.
    struct Conflict: Error, Sendable, Hashable {
        let reason: String
    }

    var handlers: [String: RequestHandler] {
        ["publish": { await publish($0) }]
    }

    private func publish(_ request: BusRequest) async -> BusReply {
        do {
            let bytes = try request.body.first ?? Wire.encode(request.params["event"] ?? .null)
            let client = Self.mayName(request) ? nil : request.user
            let event = try Self.read(bytes, from: Self.publisher(request))
            guard let position = try await take([event], key: client).first else {
                return .refused(400, "there is no event in it")
            }
            return .ok([
                "source": .string(position.source.name), "epoch": .int(Int(position.epoch)),
                "seq": .int(Int(position.seq)),
            ])
        } catch let large as TooLarge {
            return .refused(413, large.reason)
        } catch let conflict as Conflict {
            return .refused(409, conflict.reason)
        } catch let refusal as Refusal {
            return .refused(400, refusal.reason)
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

    struct TooLarge: Error, Sendable, Hashable {
        let reason: String
    }

    /// - Throws: `Refusal` or `TooLarge`.
    static func read(_ bytes: Data, from user: String) throws -> OutsideEvent {
        let event: OutsideEvent
        do {
            event = try OutsideEvent(bytes, from: user)
        } catch let error as DecodingError {
            throw Refusal("not a CloudEvent in JSON: \(error)")
        }
        guard event.size <= largest else {
            throw TooLarge(
                reason: "an event has at most \(largest) bytes, this one \(event.size);"
                    + " put more into an artifact and refer to it")
        }
        return event
    }

    /// All of them or none; on disk when this returns. An event that came before is where it was then.
    ///
    /// - Parameter client: whose key proved that it is the publisher; `nil` where none did.
    /// - Throws: `Conflict`.
    func take(_ events: [OutsideEvent], key client: String? = nil) async throws -> [LogPosition] {
        let dispatcher = dispatcher
        return try await store.write { transaction in
            try events.map { try Self.take($0, key: client, dispatcher, transaction) }
        }
    }

    private static func take(
        _ event: OutsideEvent, key client: String?, _ dispatcher: Dispatcher, _ transaction: Transaction
    ) throws -> LogPosition {
        if let known = try transaction.publication(source: event.source, id: event.id) {
            if known.digest == event.digest { return known.position }
            throw Conflict(
                reason: "the event \(event.id) of \(event.source) was published before with other content;"
                    + " give it another id")
        }
        var envelope = event.envelope(at: transaction.now)
        // A program that a pipeline of ours runs, and that sends what the pipeline listens to, goes in no circle for ever.
        if let depth = try envelope.causationid.flatMap({ try transaction.depth(after: $0) }) {
            envelope.causationdepth = depth
        }
        let position = try transaction.append(envelope, to: .ingest)
        try transaction.insert(
            Publication(source: event.source, id: event.id, digest: event.digest, position: position))
        try dispatcher.answer(envelope, key: client, transaction)
        try dispatcher.heard(envelope, transaction)
        return position
    }
}
