import Foundation
import Messages

/// The generated reference of all events: a JSON Schema each, and a page that lists them.
enum EventReference {
    /// File name to content.
    static func files(of bodies: [any EventBody.Type] = allEventBodies) throws -> [String: String] {
        var files = ["README.md": page(bodies)]
        for body in bodies { files[fileName(body)] = try Terminal.pretty(try schema(body)) + "\n" }
        return files
    }

    static func fileName(_ body: any EventBody.Type) -> String { "\(body.name).v\(body.majorVersion).json" }

    static func schema(_ body: any EventBody.Type) throws -> JSONValue {
        try schema(open: body)
            .adding("$schema", "https://json-schema.org/draft/2020-12/schema")
            .adding("$id", .string(body.schemaURI))
            .adding("title", .string(body.eventType))
            .adding("description", .string(body.summary))
    }

    private static func schema<Body: EventBody>(open body: Body.Type) throws -> JSONValue {
        try SchemaRecorder.schema(of: body)
    }

    private static func page(_ bodies: [any EventBody.Type]) -> String {
        let rows = bodies.map { body in
            "| [`\(body.name)`](\(fileName(body))) | \(body.source?.name ?? "any service") | \(body.summary) |"
        }
        return """
            # Events

            Generated from the Swift types by `martlet schemas --output docs/events`; do not edit.
            Each body travels as `data` of a CloudEvents 1.0 envelope of type `dev.martlet.<event>.v<major>`.
            A released type only gains optional fields; anything else is a new major version.

            | Event | Said by | When |
            |---|---|---|
            \(rows.joined(separator: "\n"))

            """
    }
}

extension JSONValue {
    fileprivate func adding(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }
}
