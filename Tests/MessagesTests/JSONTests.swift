import Foundation
import Testing

@testable import Messages

/// Our own way to JSON has to say and understand exactly what Foundation does.
@Suite struct JSONTests {
    /// As every other type is coded.
    private func foundationRead(_ text: Data) -> JSONValue? { try? JSONDecoder().decode(JSONValue.self, from: text) }

    private func foundationWrite(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "7", "-7", "1.5", "-0.5", "1.0", "1e3", "1E+3", "25e-1", "1e400", "-1e400",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
        "123456789012345678901234567890", "0.1", "5e-324", "1.7976931348623157e308",
        "\"\"", "\"a\"", #""a\"b\\c\/d\b\f\n\r\t""#, #""\u00e4\u4e2d\ud83d\ude00""#, "\"ä中😀\"", #""\u0000""#,
        "[]", "{}", " [ 1 , \"x\" , null ] ", "{\"b\":1,\"a\":[{\"c\":{}}]}", "{\"a\":1,\"a\":2}", "\t{\n}\r ",
    ])
    func `what is JSON is read as Foundation reads it`(text: String) throws {
        let read = try? JSONReader.read(Data(text.utf8))
        #expect(read == foundationRead(Data(text.utf8)))
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "tru", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x10", "NaN", "Infinity", "\"",
        "\"a",
        "\"\n\"", #""\x""#, #""\u12""#, #""\u12g4""#, #""\ud83d""#, #""\ud83dx""#, #""\ude00""#, "[", "]", "[1", "[1,]",
        "[,1]", "[1 2]", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "1 2",
        "[1]]", "'a'", "\u{FEFF}1", "\"a\u{0}b\"", "// c\n1",
    ])
    func `what is no JSON is an error with its place`(text: String) {
        #expect(throws: DecodingError.self) { try JSONReader.read(Data(text.utf8)) }
    }

    @Test func `bytes that are no UTF-8 are an error`() {
        for bytes: [UInt8] in [[0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0xff]] {
            #expect(throws: DecodingError.self) { try JSONReader.read(Data(bytes)) }
        }
    }

    @Test func `nesting has an end before the stack has`() throws {
        func nested(_ depth: Int) -> Data {
            Data((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONReader.read(nested(JSONReader.depth))
        #expect(throws: DecodingError.self) { try JSONReader.read(nested(JSONReader.depth + 1)) }
        let value = try JSONReader.read(nested(5))
        #expect(value.isDeeper(than: 4) && !value.isDeeper(than: 5) && !JSONValue.int(1).isDeeper(than: 0))
        #expect(throws: DecodingError.self) { try JSONReader.read(Data(repeating: UInt8(ascii: "["), count: 1 << 20)) }
    }

    @Test(arguments: 1...200)
    func `any value is written as Foundation writes it, and read back`(seed: UInt64) throws {
        var chance = Chance(state: seed)
        let value = Self.value(&chance, depth: 4)
        let written = try Wire.encode(value)
        #expect(String(decoding: written, as: UTF8.self) == String(decoding: try foundationWrite(value), as: UTF8.self))
        #expect(try JSONReader.read(written) == foundationRead(written))
    }

    @Test(arguments: 1...200)
    func `damaged text is refused or read as Foundation reads it`(seed: UInt64) throws {
        var chance = Chance(state: seed)
        var text = try foundationWrite(JSONValue.object(["v": Self.value(&chance, depth: 3)]))
        for _ in 0...Int.random(in: 0...3, using: &chance) {
            let place = Int.random(in: text.indices, using: &chance)
            text[place] = UInt8.random(in: 0...255, using: &chance)
        }
        if let read = try? JSONReader.read(text) { #expect(read == foundationRead(text)) }
    }

    /// What a type's JSON stands for, by way of the JSON.
    private func byWayOfText(_ value: some Encodable) throws -> JSONValue {
        try JSONReader.read(try foundationWrite(value))
    }

    @Test(arguments: 1...100)
    func `a type becomes the value that its JSON stands for`(seed: UInt64) throws {
        var chance = Chance(state: seed)
        let thing = Thing(&chance, depth: 3)
        #expect(try JSONTree.of(thing) == byWayOfText(thing))
    }

    @Test func `what is not an object, and what Foundation writes in ways of its own, becomes the same too`() throws {
        #expect(try JSONTree.of(7) == 7 && JSONTree.of("a") == "a" && JSONTree.of([1, 2]) == [1, 2])
        #expect(
            try JSONTree.of(Float(0.1)) == byWayOfText(Float(0.1)) && JSONTree.of(UInt64.max) == byWayOfText(UInt64.max)
        )
        #expect(try JSONTree.of([3: "a"]) == byWayOfText([3: "a"]))
        #expect(
            try JSONTree.of([String: Int]()) == [:] && JSONTree.of([Int]()) == [] && JSONTree.of([Int?.none]) == [.null]
        )
        for value in [Date(timeIntervalSince1970: 1.5)] { #expect(try JSONTree.of(value) == byWayOfText(value)) }
        #expect(try JSONTree.of(Data([1, 2])) == byWayOfText(Data([1, 2])))
        let url = try #require(URL(string: "https://example.org/a b%20c"))
        #expect(try JSONTree.of([url]) == byWayOfText([url]))
        #expect(throws: EncodingError.self) { try JSONTree.of(Double.nan) }
        #expect(throws: EncodingError.self) { try JSONTree.of(["a": Double.infinity]) }
    }

    /// One of everything that events are made of.
    private struct Thing: Codable, Equatable {
        enum Kind: String, Codable { case one, other }
        enum Shape: Codable, Equatable { case point, circle(radius: Double), text(String) }

        var text: String, number: Int, flag: Bool, ratio: Double, kind: Kind, shape: Shape
        var time: Timestamp
        var some: Int?, none: String?
        var names: [String], counts: [String: Int], things: [Thing], any: JSONValue

        init(_ chance: inout Chance, depth: Int) {
            text = ["", "ä\"\\n", "plain"].randomElement(using: &chance) ?? ""
            number = Int.random(in: .min ... .max, using: &chance)
            flag = Bool.random(using: &chance)
            ratio = [0, 1, 0.5, -1e300, 12.0].randomElement(using: &chance) ?? 0
            kind = Bool.random(using: &chance) ? .one : .other
            shape = [.point, .circle(radius: 2), .text("x")].randomElement(using: &chance) ?? .point
            time = Timestamp(milliseconds: Int64.random(in: 0...2_000_000_000_000, using: &chance))
            some = Bool.random(using: &chance) ? 3 : nil
            none = nil
            names = (0..<Int.random(in: 0...3, using: &chance)).map { "n\($0)" }
            counts = Dictionary(uniqueKeysWithValues: names.map { ($0, $0.count) })
            any = JSONTests.value(&chance, depth: 2)
            things = []
            for _ in 0..<(depth > 0 ? Int.random(in: 0...2, using: &chance) : 0) {
                things.append(Thing(&chance, depth: depth - 1))
            }
        }
    }

    @Test func `a number that JSON cannot say is an error`() {
        #expect(throws: EncodingError.self) { try Wire.encode(JSONValue.double(.nan)) }
        #expect(throws: EncodingError.self) { try Wire.encode(JSONValue.double(.infinity)) }
    }

    @Test(arguments: [true, false])
    func `an envelope is written and read as Foundation does it`(isFull: Bool) throws {
        let causation = Causation(
            correlation: isFull ? "c" : nil, event: isFull ? "e" : nil, depth: 3, actor: "user:Åsa \"x\"",
            trace: isFull ? "00-1-2-01" : nil)
        var envelope = Envelope(
            id: "1", source: "/martlet/x", type: "dev.martlet.x.y.v1", subject: "run/1",
            time: Timestamp(milliseconds: 1_700_000_000_001), partitionkey: "k", causation: causation,
            dataschema: isFull ? "https://x" : nil, replayof: isFull ? "0" : nil, data: ["a": [1, 2.5, nil, "x/y\n"]])
        if !isFull { envelope.datacontenttype = nil }
        let written = try Wire.encode(envelope)
        #expect(
            String(decoding: written, as: UTF8.self) == String(decoding: try foundationWrite(envelope), as: UTF8.self))
        #expect(try Wire.decode(Envelope.self, from: written) == envelope)
        #expect(try JSONDecoder().decode(Envelope.self, from: written) == envelope)
    }

    @Test func `attributes that are not ours are kept among ours, in the order of all names`() throws {
        var envelope = Envelope(
            id: "1", source: "//lab", type: "t", subject: "s", time: Timestamp(milliseconds: 0), partitionkey: "k",
            causation: .first(actor: "a"), data: ["b": 1, "a": 2.5])
        let bare = try Wire.encode(envelope)
        envelope.extensions = ["zone": "eu", "dataref": "https://x/y", "sequence": 7, "sampled": true]
        let written = try Wire.encode(envelope)
        #expect(try Wire.decode(Envelope.self, from: written) == envelope)
        let members = try Wire.decode([String: JSONValue].self, from: written)
        #expect(try Wire.encode(JSONValue.object(members)) == written)
        #expect(members.count == 4 + 13)
        var without = try Wire.decode(Envelope.self, from: written)
        without.extensions = [:]
        #expect(try Wire.encode(without) == bare)
        for name in ["data", "id", "causationdepth", "Zone", "a_b", "", String(repeating: "a", count: 21)] {
            #expect(!Envelope.isExtension(name), "\(name)")
        }
    }

    @Test func `an envelope that lacks what it must have, or has it in another form, is refused`() throws {
        let envelope = Envelope(
            id: "1", source: "/martlet/x", type: "t", subject: "s", time: Timestamp(milliseconds: 0), partitionkey: "k",
            causation: .first(actor: "a"), data: [:])
        let whole = try Wire.decode([String: JSONValue].self, from: try Wire.encode(envelope))
        let optional: Set<String> = ["datacontenttype", "traceparent"]
        for name in whole.keys {
            for wrong: JSONValue? in [nil, .null, true, 1.5, ["x"]] {
                var damaged = whole
                damaged[name] = wrong
                let text = try foundationWrite(damaged)
                let ours = try? Wire.decode(Envelope.self, from: text)
                let theirs = try? JSONDecoder().decode(Envelope.self, from: text)
                // Data may be anything that is there; null included.
                #expect(ours == theirs || name == "data", "\(name): \(String(describing: wrong))")
                if !optional.contains(name), name != "data" { #expect(ours == nil, "\(name)") }
            }
        }
        #expect(throws: DecodingError.self) { try Wire.decode(Envelope.self, from: Data("[]".utf8)) }
        let twice = String(decoding: try Wire.encode(envelope), as: UTF8.self).dropLast() + #","id":"2","data":null}"#
        #expect(try Wire.decode(Envelope.self, from: Data(twice.utf8)) == envelope)
    }

    /// Before 1583 Foundation counts by the Julian calendar; RFC 3339 and we do not.
    @Test func `times are written as Foundation writes them, in every year of the Gregorian calendar`() {
        var chance = Chance(state: 4)
        let ends: [Int64] = [
            -12_212_553_600_000, -1, 0, 999, 1000, 951_782_399_999, 951_782_400_000, 253_402_300_799_999,
        ]
        let random = (0..<2000).map { _ in
            Int64.random(in: -12_212_553_600_000...253_402_300_799_999, using: &chance)
        }
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: false)
        for milliseconds in ends + random {
            let second = (Double(milliseconds) / 1000).rounded(.down)
            let digits = String(1000 + (milliseconds - Int64(second) * 1000)).dropFirst()
            let expected = Date(timeIntervalSince1970: second).formatted(style).dropLast() + ".\(digits)Z"
            #expect(Timestamp(milliseconds: milliseconds).text == expected)
        }
        #expect(Timestamp(milliseconds: -62_135_596_800_000).text == "0001-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: .max).text == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: .min).text == "0000-01-01T00:00:00.000Z")
    }

    private static func value(_ chance: inout Chance, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &chance) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &chance))
        case 2: return .int(Int.random(in: .min ... .max, using: &chance) >> Int.random(in: 0..<64, using: &chance))
        case 3: return .double(Double.random(in: -1e6...1e6, using: &chance) + 0.5)
        case 4: return .string(text(&chance))
        case 5: return .array((0..<Int.random(in: 0...4, using: &chance)).map { _ in value(&chance, depth: depth - 1) })
        default:
            let names = (0..<Int.random(in: 0...5, using: &chance)).map { _ in text(&chance) }
            return .object(
                Dictionary(
                    names.map { ($0, value(&chance, depth: depth - 1)) }, uniquingKeysWith: { first, _ in first })
            )
        }
    }

    private static func text(_ chance: inout Chance) -> String {
        let letters = Array("abcXYZ019 _-/\\\"\n\t\r\u{8}\u{c}\u{1}\u{1f}\u{7f}äß中😀é").map(String.init)
        return (0..<Int.random(in: 0...8, using: &chance)).map { _ in letters.randomElement(using: &chance) ?? "" }
            .joined()
    }
}

/// A seeded generator (SplitMix64): a failing seed fails again.
private struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
