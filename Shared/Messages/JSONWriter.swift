import Foundation

/// Writes values as JSON in the one form of ``Wire``: names sorted, slashes plain, nothing between.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

    /// - Throws: `EncodingError` for a number that JSON cannot say.
    mutating func write(_ value: JSONValue) throws {
        switch value {
        case .null: write("null")
        case .bool(let value): write(value ? "true" : "false")
        case .int(let value): write(value)
        case .double(let value): try write(value)
        case .string(let value): write(quoted: value)
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try write(item)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            begin()
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                write(name: name)
                try write(value)
            }
            end()
        }
    }

    mutating func begin() { bytes.append(UInt8(ascii: "{")) }
    mutating func end() { bytes.append(UInt8(ascii: "}")) }

    /// The next member's name; whoever writes an object by hand keeps the order of the names.
    mutating func write(name: String) {
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        write(quoted: name)
        bytes.append(UInt8(ascii: ":"))
    }

    mutating func write(_ number: Int) { write(String(number)) }

    private mutating func write(_ number: Double) throws {
        guard number.isFinite else {
            throw EncodingError.invalidValue(
                number, .init(codingPath: [], debugDescription: "JSON has no word for \(number)"))
        }
        let text = number.description
        write(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    private mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func write(quoted text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { units in
            var start = 0
            for index in 0..<units.count where Self.needsEscape(units[index]) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: units[start..<index]))
                escape(units[index])
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: units[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ unit: UInt8) -> Bool {
        unit < 0x20 || unit == UInt8(ascii: "\"") || unit == UInt8(ascii: "\\")
    }

    private mutating func escape(_ unit: UInt8) {
        switch unit {
        case UInt8(ascii: "\""): write("\\\"")
        case UInt8(ascii: "\\"): write("\\\\")
        case 0x08: write("\\b")
        case 0x09: write("\\t")
        case 0x0a: write("\\n")
        case 0x0c: write("\\f")
        case 0x0d: write("\\r")
        default: write("\\u00" + (unit < 0x10 ? "0" : "") + String(unit, radix: 16))
        }
    }
}
