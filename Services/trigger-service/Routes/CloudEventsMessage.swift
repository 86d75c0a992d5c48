import Foundation
import Messages

/// The events of one HTTP message, each as CloudEvents JSON (CloudEvents 1.0, HTTP protocol binding).
struct CloudEventsMessage: Sendable, Hashable {
    var events: [Data]
    var isBatch = false

    /// - Parameter headers: names in small letters.
    /// - Throws: `Refusal` with the place.
    init(_ body: Data, headers: [(name: String, value: String)]) throws {
        let type = headers.first { $0.name == "content-type" }?.value ?? ""
        let kind = type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        let attributes = headers.filter { $0.name.hasPrefix("ce-") }
        switch kind {
        case "application/cloudevents+json": events = [body]
        case "application/cloudevents-batch+json":
            guard let items = try Self.json(body).array else { throw Refusal("a batch is a JSON list of events") }
            events = try items.map { try Wire.encode($0) }
            isBatch = true
        case _ where kind.hasPrefix("application/cloudevents"):
            throw Refusal("the format '\(kind.shortened(to: 100))' is not taken; application/cloudevents+json is")
        case _ where !attributes.isEmpty: events = [try Self.binary(attributes, type, body)]
        default:
            guard let event = Self.cdEvent(try Self.json(body)) else {
                throw Refusal(
                    "this is no event: send application/cloudevents+json, headers ce-id, ce-source, ce-type and"
                        + " ce-specversion, or a CDEvent with 'context' and 'subject'")
            }
            events = [try Wire.encode(event)]
        }
    }

    /// Attributes in headers, data as the body (3.1).
    private static func binary(
        _ attributes: [(name: String, value: String)], _ type: String, _ body: Data
    ) throws -> Data {
        var members: [String: JSONValue] = [:]
        for (name, value) in attributes {
            let name = String(name.dropFirst("ce-".count))
            guard let text = unescaped(value) else {
                throw Refusal("the header ce-\(name) is not percent-encoded UTF-8")
            }
            guard members.updateValue(.string(text), forKey: name) == nil else {
                throw Refusal("the header ce-\(name) is there twice")
            }
        }
        if !type.isEmpty { members["datacontenttype"] = .string(type) }
        if !body.isEmpty { members["data"] = try json(body) }
        return try Wire.encode(JSONValue.object(members))
    }

    /// First what stands in quotes, then percent-encoding (3.1.3.2).
    private static func unescaped(_ value: String) -> String? {
        var text = value
        if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") {
            text = ""
            var escaped = false
            for character in value.dropFirst().dropLast() {
                if !escaped, character == "\\" {
                    escaped = true
                } else {
                    text.append(character)
                    escaped = false
                }
            }
        }
        return text.removingPercentEncoding
    }

    /// A CDEvent without an envelope, of any version: its context has what an envelope needs (CDEvents, CloudEvents
    /// binding). All of it is the data, so that `where:` can look at it.
    static func cdEvent(_ json: JSONValue) -> JSONValue? {
        guard let context = json["context"], context.object != nil, let subject = json["subject"],
            context["type"]?.string?.hasPrefix("dev.cdevents.") == true
        else { return nil }
        return [
            "specversion": "1.0", "id": context["id"] ?? .null, "source": context["source"] ?? .null,
            "type": context["type"] ?? .null, "time": context["timestamp"] ?? .null,
            "subject": subject["id"] ?? .null, "datacontenttype": "application/json", "data": json,
        ]
    }

    private static func json(_ body: Data) throws -> JSONValue {
        do {
            return try Wire.decode(JSONValue.self, from: body)
        } catch DecodingError.dataCorrupted(let context) {
            throw Refusal(context.debugDescription)
        }
    }
}
