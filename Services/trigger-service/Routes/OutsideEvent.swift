import Artifacts
import Foundation
import Messages

/// An event as an outsider wrote it, checked. What is not kept is refused: nothing is left out in silence.
struct OutsideEvent: Sendable, Hashable {
    /// Its form in the log, but for the time where none was given.
    private let written: Envelope
    private let hasTime: Bool
    /// Of the form in the log, whoever sends it: spaces and the order of attributes make no other event.
    let digest: String
    /// Bytes in the log.
    let size: Int

    var id: String { written.id }
    var source: String { written.source }

    private static let texts: Set<String> = [
        "specversion", "id", "source", "type", "subject", "datacontenttype", "dataschema", "partitionkey",
        "correlationid", "causationid", "traceparent",
    ]

    /// - Throws: `Refusal` or `DecodingError`.
    init(_ bytes: Data, from user: String) throws {
        var members = try Wire.decode([String: JSONValue].self, from: bytes)
        let data = members.removeValue(forKey: "data") ?? .null
        guard !data.isDeeper() else {
            throw Refusal(
                "'data' is nested in more than \(JSONValue.mostLevels) levels; send a flatter form, or put it into an"
                    + " artifact and refer to it")
        }
        // An attribute that is null is one that is not there (CloudEvents 1.0, JSON format).
        members = members.filter { $0.value != .null }
        try Self.checkNames(members)
        var texts: [String: String] = [:]
        for name in Self.texts.sorted() {
            if let value = members[name] { texts[name] = try Self.text(name, value) }
        }
        func needed(_ name: String) throws -> String {
            guard let text = texts[name] else { throw Refusal("the attribute '\(name)' is missing") }
            return text
        }
        let (id, source, type) = (try needed("id"), try needed("source"), try needed("type"))
        try Self.check(source: source, type: type, user: user)
        let content = texts["datacontenttype"] ?? "application/json"
        try Self.check(content: content, version: texts["specversion"] ?? "1.0")
        let time = try members["time"].map(Self.time)
        let subject = texts["subject"] ?? source
        var envelope = Envelope(
            id: id, source: source, type: type, subject: subject, time: time ?? Timestamp(milliseconds: 0),
            partitionkey: texts["partitionkey"] ?? subject,
            causation: Causation(
                correlation: texts["correlationid"], event: texts["causationid"], depth: 0, actor: "",
                trace: texts["traceparent"]),
            dataschema: texts["dataschema"], data: data)
        envelope.datacontenttype = content
        let place = envelope.traceparent
        // As it was sent: where it stands in a trace of its sender's is not ours to change.
        envelope.traceparent = texts["traceparent"]
        // Nor are extensions part of what it says: a broker between adds to them, each time that it sends.
        digest = Digest(of: try Wire.encode(envelope)).text
        envelope.extensions = try Self.extensions(members)
        envelope.traceparent = envelope.traceparent ?? place
        envelope.actor = user.contains(":") ? user : "service:\(user)"
        size = try Wire.encode(envelope).count
        written = envelope
        hasTime = time != nil
    }

    func envelope(at now: Timestamp) -> Envelope {
        var envelope = written
        if !hasTime { envelope.time = now }
        return envelope
    }

    private static func checkNames(_ members: [String: JSONValue]) throws {
        if members["data_base64"] != nil {
            throw Refusal("'data_base64' is not taken: put bytes into an artifact and refer to it from JSON in 'data'")
        }
        let unknown = members.keys.filter {
            $0 != "time" && !texts.contains($0) && !Envelope.isExtension($0)
        }.sorted()
        guard unknown.isEmpty else {
            throw Refusal(
                "the attributes \(unknown.map { "'\($0.prefix(100))'" }.joined(separator: ", ").shortened(to: 1_000))"
                    + " are not kept or are set by Martlet itself; the name of an extension has 1 to 20 small"
                    + " letters and digits, and everything else belongs into 'data'")
        }
    }

    private static let mostExtensions = 20

    private static func extensions(_ members: [String: JSONValue]) throws -> [String: JSONValue] {
        let extensions = members.filter { Envelope.isExtension($0.key) }
        guard extensions.count <= mostExtensions else {
            throw Refusal(
                "the event has \(extensions.count) extension attributes, and at most \(mostExtensions) are kept")
        }
        for (name, value) in extensions {
            switch value {
            case .bool: continue
            // CloudEvents' Integer has 32 bits.
            case .int(let number) where Int32(exactly: number) != nil: continue
            case .null, .int, .double, .string, .array, .object: _ = try text(name, value)
            }
        }
        return extensions
    }

    private static func text(_ name: String, _ value: JSONValue) throws -> String {
        guard let text = value.string, (1...512).contains(text.utf8.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw Refusal("the attribute '\(name)' is not a text, empty, too long or has control characters") }
        return text
    }

    private static func time(_ value: JSONValue) throws -> Timestamp {
        guard let time = value.string.flatMap({ Timestamp($0) }) else {
            throw Refusal("the attribute 'time' is not an RFC 3339 time such as 2030-01-31T12:00:00Z")
        }
        return time
    }

    private static func check(source: String, type: String, user: String) throws {
        // The bus has no log of its own; only it is this user, whatever a key's line says.
        if user == Source.eventBus.name, source == "/martlet/\(Source.eventBus)", type == ClientDenied.eventType {
            return
        }
        let plain = type.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }
        // The topic e/ingest/<type> has at most 200 bytes.
        guard plain, type.utf8.count <= 180 else {
            throw Refusal("the type '\(type.prefix(180))' is not plain ASCII without '/' of at most 180 characters")
        }
        guard !"\(type.lowercased()).".hasPrefix("dev.martlet."), !"\(source.lowercased())/".hasPrefix("/martlet/")
        else {
            throw Refusal(
                "dev.martlet.* and /martlet/* are said by Martlet's own services only; take a name of your own")
        }
    }

    private static func check(content: String, version: String) throws {
        guard version == "1.0" else { throw Refusal("specversion '\(version)' is not known; 1.0 is") }
        let kind = content.prefix { $0 != ";" }.lowercased().trimmingCharacters(in: .whitespaces)
        guard kind == "application/json" || kind == "text/json" || kind.hasSuffix("+json") else {
            throw Refusal("datacontenttype '\(content)' is not taken; an event's data is JSON (application/json)")
        }
    }
}
