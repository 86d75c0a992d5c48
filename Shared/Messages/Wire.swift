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

    /// The value that the type's JSON stands for.
    public static func tree(_ value: some Encodable) throws -> JSONValue { try JSONTree.of(value) }

    public static func decode(_ type: JSONValue.Type, from data: Data) throws -> JSONValue { try JSONReader.read(data) }

    public static func decode(_ type: [String: JSONValue].Type, from data: Data) throws -> [String: JSONValue] {
        guard let members = try JSONReader.read(data).object else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a JSON object is expected"))
        }
        return members
    }

    public static func decode(_ type: Envelope.Type, from data: Data) throws -> Envelope { try Envelope(json: data) }
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
        if let own = Self.own(text) {
            self.init(milliseconds: own)
            return
        }
        guard let date = (try? Self.seconds.parse(text)) ?? (try? Self.fraction.parse(text)) else { return nil }
        self.init(date)
    }

    /// The milliseconds of a text that ``text`` could have written, as every event has one: Foundation's parser takes
    /// twenty times as long. `nil` for all others.
    private static func own(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { units -> Int64? in
            guard units.count == 24 else { return nil }
            var at = 0
            func read(_ digits: Int, _ mark: Unicode.Scalar) -> Int64? {
                var number: Int64 = 0
                for unit in units[at..<(at + digits)] {
                    guard (48...57).contains(unit) else { return nil }
                    number = number * 10 + Int64(unit - 48)
                }
                guard units[at + digits] == UInt8(ascii: mark) else { return nil }
                at += digits + 1
                return number
            }
            guard let year = read(4, "-"), let month = read(2, "-"), let day = read(2, "T"), let hour = read(2, ":"),
                let minute = read(2, ":"), let second = read(2, "."), let fraction = read(3, "Z"),
                hour < 24, minute < 60, second < 60, (1...12).contains(month)
            else { return nil }
            let count = days(year, month, day)
            guard date(count) == (year, month, day) else { return nil }
            return (((count * 24 + hour) * 60 + minute) * 60 + second) * 1000 + fraction
        }
    }

    /// From year 0 to 9999, as RFC 3339 has no others; beyond them it stays at the end.
    public var text: String {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let (days, rest) = Self.divided(clamped, by: 86_400_000)
        let (year, month, day) = Self.date(days)
        return String(unsafeUninitializedCapacity: 24) { text in
            var at = 0
            func write(_ number: Int64, _ digits: Int, _ mark: Unicode.Scalar) {
                var number = number
                for place in stride(from: at + digits - 1, through: at, by: -1) {
                    text[place] = 0x30 + UInt8(number % 10)
                    number /= 10
                }
                text[at + digits] = UInt8(ascii: mark)
                at += digits + 1
            }
            write(year, 4, "-")
            write(month, 2, "-")
            write(day, 2, "T")
            write(rest / 3_600_000, 2, ":")
            write(rest / 60_000 % 60, 2, ":")
            write(rest / 1000 % 60, 2, ".")
            write(rest % 1000, 3, "Z")
            return at
        }
    }

    /// The proleptic Gregorian date so many days after 1970-01-01, counted in eras of 400 years that begin in March:
    /// leap days then come last, and months have a rhythm.
    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = divided(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * march + 2) / 5 + 1)
    }

    /// The other way round; of a day that its month does not have, the day that comes of counting on.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let (era, yearOfEra) = divided(month <= 2 ? year - 1 : year, by: 400)
        let march = month > 2 ? month - 3 : month + 9
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + (153 * march + 2) / 5 + day - 1
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Rounded down, also below zero.
    private static func divided(_ number: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
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
