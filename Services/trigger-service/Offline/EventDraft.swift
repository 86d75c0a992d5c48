import Foundation
import Messages

/// An event as somebody writes it down: a whole CloudEvent, or only its type and the data that matter.
struct EventDraft: Sendable, Hashable {
    var id: String?
    /// In full.
    var type: String
    var actor: String
    var time: Timestamp?
    var data: JSONValue

    static let most = 1000

    /// One, a list, or one a line, also as `martlet events` prints them.
    static func read(_ bytes: Data) throws -> [EventDraft] {
        let values: [JSONValue]
        if let whole = try? Wire.decode(JSONValue.self, from: bytes) {
            values = whole.array ?? whole["items"]?.array ?? [whole]
        } else {
            values = try bytes.split(separator: UInt8(ascii: "\n")).enumerated().compactMap {
                index, line -> JSONValue? in
                guard line.contains(where: { !" \t\r".utf8.contains($0) }) else { return nil }
                do {
                    return try Wire.decode(JSONValue.self, from: Data(line))
                } catch {
                    throw Refusal("line \(index + 1) of the events is not JSON: \(error)")
                }
            }
        }
        guard !values.isEmpty, values.count <= most else {
            throw Refusal("there are \(values.count) events; take 1 to \(most)")
        }
        return try values.enumerated().map { index, value in try EventDraft(value["event"] ?? value, number: index + 1)
        }
    }

    private init(_ value: JSONValue, number: Int) throws {
        guard let type = value["type"]?.string, !type.isEmpty else {
            throw Refusal("event \(number) has no 'type', for example \"change.pushed\"")
        }
        let known = allEventBodies.first { $0.name == type }
        self.type = known?.eventType ?? type
        id = value["id"]?.string
        actor = value["actor"]?.string ?? "user:you"
        time = value["time"]?.string.flatMap(Timestamp.init)
        data = value["data"] ?? [:]
        guard data.object != nil else { throw Refusal("'data' of event \(number) is not an object") }
    }

    func text(_ key: String) -> String? { data[key]?.string }
}
