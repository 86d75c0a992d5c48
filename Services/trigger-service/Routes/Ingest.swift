import Artifacts
import Bus
import Foundation
import Messages
import ServiceKit
import Store

/// `publish`: events of outsiders, sequenced in the log `ingest` and acknowledged after the commit (bus.md 6).
struct Ingest: Sendable {
    static let largest = 48 << 10

    let store: StateStore

    var handlers: [String: RequestHandler] {
        ["publish": { await publish($0) }]
    }

    private func publish(_ request: BusRequest) async -> BusReply {
        do {
            let bytes = try request.body.first ?? Wire.encode(request.params["event"] ?? .null)
            guard bytes.count <= Self.largest else {
                return .refused(
                    413, "an event has at most \(Self.largest) bytes; put more into an artifact and refer to it")
            }
            let event = try OutsideEvent(bytes, from: request.user)
            switch try await store.write({ try Self.take(event, $0) }) {
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

    static func take(_ event: OutsideEvent, _ transaction: Transaction) throws -> Result<LogPosition, Refusal> {
        if let known = try transaction.publication(source: event.source, id: event.id) {
            if known.digest == event.digest { return .success(known.position) }
            return .failure(
                Refusal(
                    "the event \(event.id) of \(event.source) was published before with other content; give it another id"
                ))
        }
        let position = try transaction.append(event.envelope(at: transaction.now), to: .ingest)
        try transaction.insert(
            Publication(source: event.source, id: event.id, digest: event.digest, position: position))
        return .success(position)
    }
}

/// An event as an outsider wrote it, checked.
struct OutsideEvent: Sendable, Hashable {
    var id: String
    var source: String
    var type: String
    /// Of the bytes as they came.
    var digest: String
    private var fields: Fields
    private var user: String

    private struct Fields: Sendable, Hashable, Decodable {
        var specversion: String?
        var id: String?
        var source: String?
        var type: String?
        var subject: String?
        var time: Timestamp?
        var dataschema: String?
        var partitionkey: String?
        var correlationid: String?
        var causationid: String?
        var traceparent: String?
        var data: JSONValue?
    }

    /// - Throws: `Refusal` or `DecodingError`.
    init(_ bytes: Data, from user: String) throws {
        let fields = try Wire.decode(Fields.self, from: bytes)
        func text(_ name: String, _ value: String?) throws -> String {
            guard let value, (1...512).contains(value.utf8.count),
                !value.unicodeScalars.contains(where: { $0.value < 0x20 })
            else { throw Refusal("the attribute '\(name)' is missing, empty, too long or has control characters") }
            return value
        }
        guard (fields.specversion ?? "1.0") == "1.0" else {
            throw Refusal("specversion '\(fields.specversion ?? "")' is not known; 1.0 is")
        }
        id = try text("id", fields.id)
        source = try text("source", fields.source)
        type = try text("type", fields.type)
        let plain = type.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }
        // The topic e/ingest/<type> has at most 200 bytes.
        guard plain, type.utf8.count <= 180 else {
            throw Refusal("the type '\(type.prefix(180))' is not plain ASCII without '/' of at most 180 characters")
        }
        guard !type.hasPrefix("dev.martlet."), !source.hasPrefix("/martlet/") else {
            throw Refusal(
                "dev.martlet.* and /martlet/* are said by Martlet's own services only; take a name of your own")
        }
        self.fields = fields
        self.user = user
        digest = Digest(of: bytes).text
    }

    func envelope(at now: Timestamp) -> Envelope {
        let subject = fields.subject ?? source
        return Envelope(
            id: id, source: source, type: type, subject: subject, time: fields.time ?? now,
            partitionkey: fields.partitionkey ?? subject,
            causation: Causation(
                correlation: fields.correlationid, event: fields.causationid, depth: 0,
                actor: user.contains(":") ? user : "service:\(user)", trace: fields.traceparent),
            dataschema: fields.dataschema, data: fields.data ?? .null)
    }
}
