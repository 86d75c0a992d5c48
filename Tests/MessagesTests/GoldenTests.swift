import Foundation
import Messages
import Testing

/// Real messages of a released form, taken off the wire: whatever becomes of the types, these are understood.
struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/wire")

    private static let files: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".json") }
        .sorted()

    private func value(_ file: String) throws -> Data {
        try Data(contentsOf: Self.folder.appendingPathComponent(file))
    }

    @Test func `there is a message of nearly every event`() {
        let known = Self.files.count { file in allEventBodies.contains { file == "\($0.name).v\($0.majorVersion).json" }
        }
        #expect(known >= 50)
    }

    @Test(arguments: allEventBodies.map { $0.name })
    func `I10 an event that was ever said is understood`(name: String) throws {
        let body = try #require(allEventBodies.first { $0.name == name })
        let file = "\(name).v\(body.majorVersion).json"
        guard Self.files.contains(file) else { return }
        let envelope = try Wire.decode(Envelope.self, from: try value(file))
        #expect(envelope.type == body.eventType)
        #expect(envelope.source == body.source.map { "/martlet/\($0)" } ?? envelope.source)
        try understand(body, envelope)
    }

    private func understand<Body: EventBody>(_ type: Body.Type, _ envelope: Envelope) throws {
        let body = try #require(try envelope.body(type))
        let said = try Wire.decode(JSONValue.self, from: try Wire.encode(body))
        #expect(said == envelope.data, "something of it is not kept")
    }
}
