import Foundation
import Messages

/// The AsyncAPI 3.0 document of the bus: what is sent and answered on which topic and by which method.
///
/// Events refer to their schemas in `events/` beside it, requests to schemas of their own below `components`.
struct AsyncAPIDocument {
    /// Real messages by name, as `Tests/Fixtures/wire` keeps them: they become the examples.
    var examples: [String: JSONValue] = [:]

    static let curve: JSONValue = [["$ref": "#/components/securitySchemes/curve"]]

    func value() throws -> JSONValue {
        var channels: [String: JSONValue] = [:]
        var operations: [String: JSONValue] = [:]
        var messages: [String: JSONValue] = [:]
        var schemas = [
            "CloudEvent": try SchemaRecorder.schema(of: Envelope.self),
            "Problem": try SchemaRecorder.schema(of: Problem.self),
        ]
        var parts = allEventBodies.map(event) + [heartbeat, outsiderEvent, outsider]
        parts += try allTelemetryBodies.map(telemetry) + RequestReference.all.map { try request($0, &schemas) }
        for part in parts {
            channels[Self.id(part.name)] = part.channel
            operations[Self.id(part.operation.name)] = part.operation.value
            for (name, message) in part.messages { messages[Self.id(name)] = message }
        }
        return [
            "asyncapi": "3.0.0",
            "info": [
                "title": "Martlet's bus, protocol MB1", "version": "1.0.0",
                "description": .string(Self.description),
                "license": ["name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"],
            ],
            "defaultContentType": "application/json",
            "servers": Self.servers,
            "channels": .object(channels),
            "operations": .object(operations),
            "components": [
                "messages": .object(messages),
                "schemas": .object(schemas.reduce(into: [:]) { $0[Self.id($1.key)] = $1.value }),
                "securitySchemes": [
                    "curve": [
                        "type": "asymmetricEncryption",
                        "description": "CURVE: a key of the client's own, listed in the bus's authorized_keys.",
                    ]
                ],
            ],
        ]
    }

    private static let description = """
        Generated from the Swift types by `martlet schemas`; do not edit. docs/protocol.md says what AsyncAPI cannot:
        frames, the chain, how a subscriber follows a log, sessions and claims.

        A live message has three frames: the channel's address, a header, the payload. A request has the frames ["",
        "MB1", correlation, method, target, deadline in ms, params, body...], its reply ["", "MB1", correlation, status,
        params, body...]; its channel's address is <target>/<method>.
        """

    private static let servers: JSONValue = .object(
        [
            ("events", 5550, "XSUB: a PUB dials it and publishes."),
            ("feed", 5551, "XPUB: a SUB dials it and listens."),
            ("requests", 5552, "ROUTER: a DEALER dials it, asks and answers."),
        ].reduce(into: [:]) { servers, server in
            servers[server.0] = [
                "host": .string("127.0.0.1:\(server.1)"), "protocol": "zmq", "protocolVersion": "3.1",
                "description": .string(
                    "\(server.2) On one machine the socket '\(server.0)' in <data>/bus, over ipc:// and without keys."),
                "security": curve,
            ]
        })
}

extension AsyncAPIDocument {
    /// What one message or method adds to the document.
    struct Part {
        var name: String
        var channel: JSONValue
        var operation: (name: String, value: JSONValue)
        var messages: [String: JSONValue]
    }

    // MARK: Parts of parts

    static func channel(_ address: String, messages: [String], servers: [JSONValue]) -> JSONValue {
        var channel: [String: JSONValue] = [
            "address": .string(address), "servers": .array(servers),
            "messages": .object(
                messages.reduce(into: [:]) { $0[id($1)] = reference("#/components/messages/\($1)") }),
        ]
        let parameters = address.split(separator: "{").dropFirst().compactMap { $0.split(separator: "}").first }
        if !parameters.isEmpty {
            channel["parameters"] = .object(
                parameters.reduce(into: [:]) { $0[String($1)] = parameter(String($1)) })
        }
        return .object(channel)
    }

    static func parameter(_ name: String) -> JSONValue {
        switch name {
        case "source":
            ["description": "The log.", "enum": .array((Source.all).map { .string($0.name) })]
        case "client": ["description": "Whoever tells it: [a-z0-9.-]{1,63}."]
        default: ["description": "Its type; the whole topic has at most 200 bytes."]
        }
    }

    /// AsyncAPI's names of things have no dots; what they are called on the bus stands in `name` and `address`.
    static func id(_ name: String) -> String { name.replacing(".", with: "-") }

    /// - Parameter place: of names, within this document.
    static func reference(_ place: String) -> JSONValue { ["$ref": .string(id(place))] }

    static func schema(_ type: any Decodable.Type) throws -> JSONValue { try open(type) }

    private static func open<Value: Decodable>(_ type: Value.Type) throws -> JSONValue {
        try SchemaRecorder.schema(of: type)
    }
}
