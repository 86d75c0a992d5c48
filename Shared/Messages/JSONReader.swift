import Foundation

/// Reads JSON (RFC 8259, UTF-8) into values.
///
/// Every event passes here several times on its way: Foundation's decoder finds out what a value is by trying seven
/// types in turn, and takes ten times as long. What it accepts and what comes of it is the same; the tests compare.
struct JSONReader {
    /// Nested deeper than anything honest, and far from the end of a thread's stack.
    static let depth = 128

    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var room = JSONReader.depth

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// - Throws: `DecodingError`, with the place of the mistake.
    static func read(_ text: Data) throws -> JSONValue { try whole(text) { try $0.value() } }

    /// Reads an object without making one: `member` is told each name, and reads its value.
    static func read(_ text: Data, member: (String, inout JSONReader) throws -> Void) throws {
        try whole(text) { reader in
            reader.skipSpace()
            guard reader.next == UInt8(ascii: "{") else { throw reader.problem("an object is expected") }
            try reader.nested { try $0.members(member) }
        }
    }

    private static func whole<Value>(_ text: Data, _ body: (inout JSONReader) throws -> Value) throws -> Value {
        try text.withUnsafeBytes { raw in
            try raw.withMemoryRebound(to: UInt8.self) { bytes in
                var reader = JSONReader(bytes)
                let value = try body(&reader)
                reader.skipSpace()
                guard reader.at == bytes.count else { throw reader.problem("something follows the value") }
                return value
            }
        }
    }

    private func problem(_ what: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "not JSON: \(what) (byte \(at))"))
    }

    /// 0, which stands nowhere outside of strings, at the end.
    private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func skipSpace() {
        while next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 { at += 1 }
    }

    mutating func value() throws -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try nested { try $0.object() }
        case UInt8(ascii: "["): return try nested { try $0.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw problem("a value is expected")
        }
    }

    private mutating func nested<Value>(_ body: (inout JSONReader) throws -> Value) throws -> Value {
        guard room > 0 else { throw problem("nested deeper than \(Self.depth)") }
        room -= 1
        at += 1
        let value = try body(&self)
        room += 1
        return value
    }

    private mutating func object() throws -> JSONValue {
        var members: [String: JSONValue] = [:]
        try self.members { name, reader in
            // The first one stands, as in Foundation.
            if let first = members.updateValue(try reader.value(), forKey: name) { members[name] = first }
        }
        return .object(members)
    }

    private mutating func members(_ member: (String, inout JSONReader) throws -> Void) throws {
        skipSpace()
        if take(UInt8(ascii: "}")) { return }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw problem("a name is expected") }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw problem("a colon is expected") }
            try member(name, &self)
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw problem("a comma or the object's end is expected") }
    }

    private mutating func array() throws -> JSONValue {
        var items: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(items) }
        repeat {
            items.append(try value())
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw problem("a comma or the list's end is expected") }
        return .array(items)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        let end = at + text.utf8CodeUnitCount
        guard end <= bytes.count,
            bytes[at..<end].elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        else { throw problem("a value is expected") }
        at = end
        return value
    }
}

// MARK: - Numbers

extension JSONReader {
    private mutating func number() throws -> JSONValue {
        let start = at
        let isNegative = take(UInt8(ascii: "-"))
        let digits = at
        var magnitude: Int? = 0
        while let digit = digit() {
            magnitude = magnitude.flatMap { Self.append(digit, to: $0, isNegative: isNegative) }
        }
        guard at > digits, at == digits + 1 || bytes[digits] != UInt8(ascii: "0") else {
            throw problem("a number is expected")
        }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try skipDigits()
        }
        if next | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            at += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
            try skipDigits()
        }
        if isWhole, let magnitude { return .int(magnitude) }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard let double = Double(text), double.isFinite else { throw problem("the number \(text) is too large") }
        // 1.0 is an integer, too; what is too large for one stays a number with a loss, as in Foundation.
        return isWhole ? .double(double) : Int(exactly: double).map(JSONValue.int) ?? .double(double)
    }

    /// `nil`: an `Int` cannot hold it. Negative numbers are counted downwards: there is one more of them.
    private static func append(_ digit: UInt8, to value: Int, isNegative: Bool) -> Int? {
        let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
        let step = isNegative ? -Int(digit) : Int(digit)
        let (sum, overflowToo) = tens.addingReportingOverflow(step)
        return overflow || overflowToo ? nil : sum
    }

    private mutating func digit() -> UInt8? {
        let byte = next
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        at += 1
        return byte - UInt8(ascii: "0")
    }

    private mutating func skipDigits() throws {
        guard digit() != nil else { throw problem("a digit is expected") }
        while digit() != nil {}
    }
}

// MARK: - Strings

extension JSONReader {
    private mutating func string() throws -> String {
        at += 1
        let start = at
        // Of all units: above 0x7f when one is.
        var seen: UInt8 = 0
        while at < bytes.count {
            seen |= bytes[at]
            switch bytes[at] {
            case UInt8(ascii: "\""):
                defer { at += 1 }
                return try text(UnsafeBufferPointer(rebasing: bytes[start..<at]), isASCII: seen < 0x80)
            case UInt8(ascii: "\\"): return try escaped(from: start)
            case 0..<0x20: throw problem("a control character in a string")
            default: at += 1
            }
        }
        throw problem("a string without an end")
    }

    private func text(_ units: UnsafeBufferPointer<UInt8>, isASCII: Bool) throws -> String {
        // Most are, and there is nothing to check then, for which the standard library takes a long way.
        if isASCII { return String(decoding: units, as: UTF8.self) }
        guard let text = String(validating: units, as: UTF8.self) else {
            throw problem("a string that is not UTF-8")
        }
        return text
    }

    /// The rest of a string that holds an escape.
    private mutating func escaped(from start: Int) throws -> String {
        var units = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                guard let text = String(validating: units, as: UTF8.self) else {
                    throw problem("a string that is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"):
                at += 1
                try units.append(contentsOf: escape())
            case 0..<0x20: throw problem("a control character in a string")
            default:
                at += 1
                units.append(byte)
            }
        }
        throw problem("a string without an end")
    }

    private mutating func escape() throws -> [UInt8] {
        let byte = next
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            let high = try hex()
            var units = [high]
            if UTF16.isLeadSurrogate(high) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw problem("half a character") }
                units.append(try hex())
            }
            guard let text = String(validating: units, as: UTF16.self) else { throw problem("half a character") }
            return Array(text.utf8)
        default: throw problem("an unknown escape")
        }
    }

    private mutating func hex() throws -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = next
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
                throw problem("four hex digits are expected")
            }
            value = value << 4 | UInt16(digit)
            at += 1
        }
        return value
    }
}
