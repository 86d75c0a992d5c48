import Foundation

/// The one JSON form of everything that is stored or sent: keys sorted, slashes plain, so equal values have equal bytes.
public enum Wire {
    // Made once: to make one costs as much as to use it.
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()
    private static let decoder = JSONDecoder()

    public static func encode(_ value: some Encodable) throws -> Data { try encoder.encode(value) }

    public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        try decoder.decode(type, from: data)
    }
}

/// What every event and every request passes through has a short way of its own to the same bytes.
extension Wire {
    public static func encode(_ value: JSONValue) throws -> Data {
        var writer = JSONWriter()
        try writer.write(value)
        return Data(writer.bytes)
    }

    public static func encode(_ envelope: Envelope) throws -> Data {
        var writer = JSONWriter(capacity: 2048)
        try envelope.write(to: &writer)
        return Data(writer.bytes)
    }

    public static func decode(_ type: JSONValue.Type, from data: Data) throws -> JSONValue { try JSONReader.read(data) }

    public static func decode(_ type: [String: JSONValue].Type, from data: Data) throws -> [String: JSONValue] {
        guard let members = try JSONReader.read(data).object else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a JSON object is expected"))
        }
        return members
    }

    public static func decode(_ type: Envelope.Type, from data: Data) throws -> Envelope {
        try Envelope(members: try decode([String: JSONValue].self, from: data))
    }
}

/// Times travel as RFC 3339 in UTC with milliseconds (bus.md 4).
public struct Timestamp: Sendable, Hashable, Comparable, Codable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public init(_ date: Date) {
        milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
    }

    public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    // Foundation's fraction is cut, not rounded, after a way through floating point: only whole seconds go there.
    private static let seconds = Date.ISO8601FormatStyle(includingFractionalSeconds: false)
    private static let fraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// Reads RFC 3339, with or without a fraction of a second; `nil` for anything else.
    public init?(_ text: String) {
        guard let date = (try? Self.seconds.parse(text)) ?? (try? Self.fraction.parse(text)) else { return nil }
        self.init(date)
    }

    public var text: String {
        let (second, rest) = (
            Int64((Double(milliseconds) / 1000).rounded(.down)), ((milliseconds % 1000) + 1000) % 1000
        )
        let digits = String(1000 + rest).dropFirst()
        return Date(timeIntervalSince1970: Double(second)).formatted(Self.seconds).dropLast() + ".\(digits)Z"
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(milliseconds: milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let parsed = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not an RFC 3339 time")
        }
        self = parsed
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
