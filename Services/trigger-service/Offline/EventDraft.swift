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
    /// Everything that was written, for an event of another program.
    var written: [String: JSONValue]
    /// A forge tells of it: its commit may not be in the folder yet.
    var isDelivered = false
    /// It tells of a branch that was not there before.
    var isNewBranch = false

    static let most = 1000
    /// Of our own events, as if the service said them.
    static let source = "/martlet/plan"

    /// One, a list, or one a line, also as `martlet events` prints them, and CDEvents as they are.
    static func read(_ bytes: Data) throws -> [EventDraft] {
        try values(bytes).enumerated().map { index, value in
            let event = value["event"] ?? value
            return try EventDraft(CloudEventsMessage.cdEvent(event) ?? event, number: index + 1)
        }
    }

    private static func values(_ bytes: Data) throws -> [JSONValue] {
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
        return values
    }

    private init(_ value: JSONValue, number: Int) throws {
        guard let type = value["type"]?.string, !type.isEmpty else {
            throw Refusal(
                "event \(number) has no 'type', for example \"change.pushed\"; a forge's payload needs --forge")
        }
        let known = allEventBodies.first { $0.name == type }
        self.type = known?.eventType ?? type
        id = value["id"]?.string
        actor = value["actor"]?.string ?? "user:you"
        time = value["time"]?.string.flatMap(Timestamp.init)
        data = value["data"] ?? [:]
        written = value.object ?? [:]
        guard !isOurs || data.object != nil else { throw Refusal("'data' of event \(number) is not an object") }
    }

    /// What a forge tells of, in the words of our own events.
    init(type: String, id: String, actor: String, data: [String: JSONValue]) {
        self.id = id
        self.type = type
        self.actor = actor
        self.data = .object(data)
        written = [:]
        isDelivered = true
    }

    var isOurs: Bool { type.hasPrefix("dev.martlet.") }

    func text(_ key: String) -> String? { data[key]?.string }

    /// As the service would tell of it or hear it.
    ///
    /// - Throws: `Refusal` for what no outsider may publish.
    func envelope(id: String, at now: Timestamp) throws -> Envelope {
        if isOurs {
            return Envelope(
                id: id, source: Self.source, type: type, subject: "plan", time: time ?? now, partitionkey: "plan",
                causation: .first(actor: actor), data: data)
        }
        var members = written
        // Set by the service that takes it in.
        for name in ["actor", "causationdepth", "replayof"] { members.removeValue(forKey: name) }
        members["id"] = .string(id)
        members["source"] = members["source"] ?? "/you"
        do {
            return try Ingest.read(Wire.encode(JSONValue.object(members)), from: actor).envelope(at: now)
        } catch let large as Ingest.TooLarge {
            throw Refusal(large.reason)
        }
    }
}
