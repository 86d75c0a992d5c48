import Messages

/// Events, heartbeats and telemetry.
extension AsyncAPIDocument {
    private enum Direction: String {
        /// From the point of view of Martlet, as AsyncAPI wants it.
        case send, receive
    }

    func event(_ body: any EventBody.Type) -> Part {
        let data: JSONValue = ["$ref": .string("events/\(EventReference.fileName(body))")]
        return live(
            EventReference.fileName(body).replacing(".json", with: ""),
            address: "e/\(body.source?.name ?? "{source}")/\(body.eventType)", .send, "event", body.summary,
            header: "^MB1 E [0-9]{13} [1-9][0-9]* [0-9a-f]{32}$", payload: Self.cloudEvent(body.eventType, data))
    }

    func telemetry(_ body: any TelemetryBody.Type) throws -> Part {
        live(
            body.name, address: "t/\(body.source)/\(body.name)", .send, "telemetry", body.summary,
            header: Self.telemetryHeader, payload: try Self.schema(body))
    }

    private static let telemetryHeader = "^MB1 T 0{13} 0 0{32}$"

    var heartbeat: Part {
        live(
            "heartbeat", address: "h/{source}", .send, "heartbeat",
            "Where a log ends: every second, and 50 ms after a burst.",
            header: "^MB1 H [0-9]{13} (0|[1-9][0-9]*) [0-9a-f]{32}$",
            payload: ["type": "string", "maxLength": 0])
    }

    var outsiderEvent: Part {
        live(
            "outsider.event", address: "e/ingest/{type}", .send, "event",
            "What somebody else published, in the order in which it was stored.",
            header: "^MB1 E [0-9]{13} [1-9][0-9]* [0-9a-f]{32}$",
            payload: ["$ref": "#/components/schemas/CloudEvent"])
    }

    var outsider: Part {
        live(
            "outsider.telemetry", address: "t/{client}/{type}", .receive, "telemetry",
            "What anybody tells in passing: two frames, topic and payload; the bus adds the header.",
            header: nil, payload: ["type": "object"])
    }

    private func live(
        _ name: String, address: String, _ direction: Direction, _ tag: String, _ summary: String, header: String?,
        payload: JSONValue
    ) -> Part {
        var message: [String: JSONValue] = [
            "name": .string(name), "summary": .string(summary), "payload": payload, "tags": [["name": .string(tag)]],
            "contentType": .string(tag == "event" ? "application/cloudevents+json" : "application/json"),
        ]
        if let header {
            message["headers"] = [
                "type": "object", "properties": ["header": ["type": "string", "pattern": .string(header)]],
            ]
        }
        if let example = examples[name] { message["examples"] = [["name": "real", "payload": example]] }
        let server = direction == .send ? "feed" : "events"
        return Part(
            name: name,
            channel: Self.channel(address, messages: [name], servers: [Self.reference("#/servers/\(server)")]),
            operation: (
                "\(direction.rawValue).\(name)",
                [
                    "action": .string(direction.rawValue), "channel": Self.reference("#/channels/\(name)"),
                    "messages": [Self.reference("#/channels/\(name)/messages/\(name)")],
                ]
            ),
            messages: [name: .object(message)])
    }

    private static func cloudEvent(_ type: String, _ data: JSONValue) -> JSONValue {
        [
            "allOf": [
                ["$ref": "#/components/schemas/CloudEvent"],
                ["type": "object", "properties": ["type": ["const": .string(type)], "data": data]],
            ]
        ]
    }
}
