import Foundation
import Messages
import Testing

@testable import Martlet

struct SchemaTests {
    private struct Sample: Codable {
        enum Word: String, Codable, CaseIterable { case one, two }
        struct Part: Codable { var name: String }

        var text: String
        var maybe: Int?
        var flag: Bool
        var number: Double
        var words: [Word]
        var parts: [String: Part]
        var digest: Digest?
        var time: Timestamp
        var any: JSONValue
        var nested: Part?
    }

    @Test func `the Swift type is the schema`() throws {
        let part: JSONValue = [
            "type": "object", "properties": ["name": ["type": "string"]], "required": ["name"],
        ]
        #expect(
            try SchemaRecorder.schema(of: Sample.self) == [
                "type": "object",
                "properties": [
                    "text": ["type": "string"], "maybe": ["type": "integer"], "flag": ["type": "boolean"],
                    "number": ["type": "number"],
                    "words": ["type": "array", "items": ["type": "string", "enum": ["one", "two"]]],
                    "parts": ["type": "object", "additionalProperties": part],
                    "digest": ["type": "string", "pattern": "^sha256:[0-9a-f]{64}$"],
                    "time": ["type": "string", "format": "date-time"], "any": .object([:]), "nested": part,
                ],
                "required": ["any", "flag", "number", "parts", "text", "time", "words"],
            ])
    }

    @Test func `every event has a schema with its name, its sentence and only what it has`() throws {
        let files = try EventReference.files()
        #expect(files.count == allEventBodies.count + 1)
        for body in allEventBodies {
            let text = try #require(files[EventReference.fileName(body)])
            let schema = try Wire.decode(JSONValue.self, from: Data(text.utf8))
            #expect(schema["$id"] == .string(body.schemaURI))
            #expect(schema["title"] == .string(body.eventType))
            #expect(schema["description"] == .string(body.summary))
            #expect(schema["properties"]?.object?.isEmpty == false, "\(body.name)")
            #expect(files["README.md"]?.contains("`\(body.name)`") == true)
        }
    }

    @Test func `an optional field is not required`() throws {
        let schema = try EventReference.schema(RunFinished.self)
        let required = schema["required"]?.array ?? []
        #expect(required.contains("outcome") && !required.contains("branch"))
        #expect(schema["properties"]?["outcome"]?["enum"]?.array?.contains("not_promoted") == true)
    }

    @Test func `a real body is what its schema says`() throws {
        let body = SmokeTestFinished(
            deployment: "d", endpoint: "e", model: "m", version: 1, outcome: .succeeded, attempts: 1, message: "ok")
        let value = try Wire.decode(JSONValue.self, from: try Wire.encode(body))
        let schema = try EventReference.schema(SmokeTestFinished.self)
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        let present = Set((value.object ?? [:]).keys)
        #expect(required.isSubset(of: present))
        #expect(present.isSubset(of: Set((schema["properties"]?.object ?? [:]).keys)))
    }

    @Test func `check tells what is stale, and writing cures it`() async throws {
        let folder = NSTemporaryDirectory() + "schemas-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(await CommandLineRun.run(["schemas", "--output", folder, "--check"]) == 1)
        #expect(await CommandLineRun.run(["schemas", "--output", folder]) == 0)
        #expect(await CommandLineRun.run(["schemas", "--output", folder, "--check"]) == 0)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: folder + "/gone.v1.json"))
        #expect(await CommandLineRun.run(["schemas", "--output", folder, "--check"]) == 1)
        #expect(await CommandLineRun.run(["schemas", "--output", folder]) == 0)
        #expect(!FileManager.default.fileExists(atPath: folder + "/gone.v1.json"))
    }
}
