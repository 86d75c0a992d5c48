import Foundation
import Messages
import Testing

@Suite struct ValueTests {
    @Test(arguments: [
        "null", "true", "7", "-3", "0.5", "\"x\"", "[1,2.5,\"a\",null]", "{\"a\":{\"b\":[]},\"c\":false}",
    ])
    func `any JSON survives a round trip byte for byte`(text: String) throws {
        let value = try Wire.decode(JSONValue.self, from: Data(text.utf8))
        #expect(String(decoding: try Wire.encode(value), as: UTF8.self) == text)
    }

    @Test func `one is an integer, one and a half is not`() throws {
        #expect(JSONValue.int(1).int == 1)
        #expect(JSONValue.double(1.5).int == nil)
        #expect(JSONValue.string("1").double == nil)
    }

    @Test func `a digest is sha256 and 64 lower-case hex digits, nothing else becomes a file name`() {
        let hex = String(repeating: "ab", count: 32)
        #expect(Digest("sha256:" + hex)?.hex == hex)
        for bad in [
            "", "sha256:", "sha256:../../etc/passwd", "md5:" + hex, "sha256:" + hex.uppercased(), "sha256:" + hex + "0",
        ] {
            #expect(Digest(bad) == nil, "\(bad)")
        }
    }

    @Test(arguments: [
        ("", false), ("trigger-service", true), ("a.b-9", true), ("A", false), ("a/b", false), ("..", true),
    ])
    func `a source is a short lower-case name`(name: String, valid: Bool) {
        #expect((Source(checking: name) != nil) == valid)
    }

    @Test func `times are RFC 3339 in UTC with milliseconds`() {
        let time = Timestamp(milliseconds: 1_700_000_000_007)
        #expect(time.text == "2023-11-14T22:13:20.007Z")
        #expect(Timestamp(time.text) == time)
        #expect(Timestamp("2023-11-14T22:13:20Z")?.milliseconds == 1_700_000_000_000)
        #expect(Timestamp("yesterday") == nil)
    }

    @Test func `every time that is written is read as the same, in leap years and at the ends of years, too`() {
        let hour: Int64 = 3_600_000
        for day in stride(from: Int64(-719_528), through: 2_932_896, by: 397) {
            let time = Timestamp(milliseconds: day * 24 * hour + 13 * hour + 7)
            #expect(Timestamp(time.text) == time)
        }
        for text in [
            "0000-01-01T00:00:00.000Z", "1900-02-28T23:59:59.999Z", "1969-12-31T23:59:59.999Z",
            "2000-02-29T00:00:00.000Z", "2024-02-29T12:00:00.001Z", "9999-12-31T23:59:59.999Z",
        ] {
            #expect(Timestamp(text)?.text == text)
        }
    }

    @Test func `ids are UUIDs of version 7 that sort by time`() {
        let ids = UUIDv7(random: { 0x0123_4567_89AB_CDEF })
        let early = ids.next(at: Timestamp(milliseconds: 1_700_000_000_000))
        let late = ids.next(at: Timestamp(milliseconds: 1_700_000_000_001))
        #expect(early < late)
        #expect(early.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    }
}
