import EventLog
import Foundation
import Logging
import Messages
import Testing

@testable import Bus

struct FrameTests {
    static let chain = String(repeating: "a", count: 32)

    @Test(arguments: [
        "MB1 E 1700000000000 1 \(chain)",
        "MB1 E 1700000000000 9223372036854775807 \(chain)",
        "MB1 H 1700000000000 0 \(chain)",
        "MB1 T 0000000000000 0 \(String(repeating: "0", count: 32))",
    ])
    func `a well-formed header is read and written back`(text: String) {
        #expect(LiveHeader(Data(text.utf8))?.text == text)
    }

    @Test(arguments: [
        "", "MB1", "MB2 E 1700000000000 1 \(chain)", "MB1 X 1700000000000 1 \(chain)",
        "MB1 E 170000000000 1 \(chain)", "MB1 E 17000000000000 1 \(chain)", "MB1 E 1700000000000 0 \(chain)",
        "MB1 E 1700000000000 01 \(chain)", "MB1 E 1700000000000 -1 \(chain)", "MB1 E 1700000000000 +1 \(chain)",
        "MB1 E 1700000000000 9223372036854775808 \(chain)", "MB1 E 1700000000000  1 \(chain)",
        "MB1  E 1700000000000 1 \(chain)", "MB1 E 1700000000000 1 \(chain) ", " MB1 E 1700000000000 1 \(chain)",
        "MB1 E 1700000000000 1 \(chain.dropLast())", "MB1 E 1700000000000 1 \(chain)b",
        "MB1 E 1700000000000 1 \(chain.uppercased())", "MB1 E 1700000000000 1", "MB1 E 170000000000x 1 \(chain)",
        "MB1 H 0000000000000 0 \(chain)", "MB1 E 0000000000000 1 \(chain)", "MB1 T 1700000000000 0 \(chain)",
        "MB1 T 0000000000000 1 \(chain)", "MB1 E 1700000000000 1 \(chain.dropLast())é",
        "MB1 E 1700000000000 \(chain) 1",
    ])
    func `a malformed header is refused`(text: String) {
        #expect(LiveHeader(Data(text.utf8)) == nil)
    }

    @Test(arguments: [
        "e/registry-service/dev.martlet.model.registered.v1", "h/event-bus", "t/acme.gpu-1/load", "e/a/b/c",
    ])
    func `a well-formed topic is read and written back`(text: String) {
        #expect(LiveTopic(text)?.text == text)
    }

    @Test(arguments: [
        "", "e", "e/", "e//x", "e/a", "e/a/", "E/a/b", "x/a/b", "h/", "h/a/b", "h/A", "t/a", "e/a b/c", "e/a/b c",
        "e/ä/b",
        "e/\(String(repeating: "a", count: 64))/b", "e/a/\(String(repeating: "b", count: 200))", "e/a/b\u{0}", "ee/a/b",
    ])
    func `a malformed topic is refused`(text: String) {
        #expect(LiveTopic(text) == nil)
    }

    private func check(_ topic: String, _ header: String, _ body: Data) throws -> LiveTopic {
        try Data(topic.utf8).withUnsafeBytes { topic in
            try Data(header.utf8).withUnsafeBytes { header in
                try body.withUnsafeBytes { try LiveCheck.check(topic: topic, header: header, body: $0).0 }
            }
        }
    }

    @Test func `a message is judged by size, topic, header and body`() throws {
        let event = "MB1 E 1700000000000 1 \(Self.chain)"
        let beat = "MB1 H 1700000000000 1 \(Self.chain)"
        let body = Data("{}".utf8)
        #expect(try check("e/a/b", event, body) == .event(source: "a", type: "b"))
        #expect(throws: LiveDrop.mismatch) { try check("h/a", event, body) }
        #expect(throws: LiveDrop.mismatch) { try check("e/a/b", beat, body) }
        #expect(throws: LiveDrop.topic) { try check("e/a", event, body) }
        #expect(throws: LiveDrop.header) { try check("e/a/b", "MB1 E", body) }
        #expect(throws: LiveDrop.body) { try check("e/a/b", event, Data("[]".utf8)) }
        #expect(throws: LiveDrop.body) { try check("e/a/b", event, Data()) }
        #expect(throws: LiveDrop.body) { try check("h/a", beat, body) }
        let room = BusLimits.messageBytes - "e/a/b".utf8.count - event.utf8.count
        #expect(try check("e/a/b", event, body + Data(count: room - 2)).name == "a")
        #expect(throws: LiveDrop.size) { try check("e/a/b", event, body + Data(count: room - 1)) }
    }

    @Test func `I10 no bytes make the parsers fail`() {
        var random = SeededRandom(seed: 42)
        let good = Array("MB1 E 1700000000000 12 \(Self.chain)".utf8)
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = .random(in: 0...255, using: &random)
                case 1 where bytes.count > 1: bytes.remove(at: place)
                default: bytes.insert(.random(in: 0...255, using: &random), at: place)
                }
            }
            if let header = LiveHeader(Data(bytes)) { #expect(header.bytes == Data(bytes)) }
            _ = Data(bytes).withUnsafeBytes { LiveTopic(parsing: $0) }
            _ = try? RequestMessage(parsing: [Data(), RequestFrames.magic, Data(bytes), Data(bytes), Data(bytes)])
        }
    }
}

struct RequestFrameTests {
    static let correlation = Data(count: 16)
    static let request = RequestFrames(
        correlation: correlation, method: "session.open", target: "trigger-service", deadline: .milliseconds(1500),
        params: Data("{}".utf8), body: [Data("x".utf8)])

    @Test func `requests and replies are read and written back`() throws {
        #expect(try RequestMessage(parsing: Self.request.frames) == .request(Self.request))
        let reply = ReplyFrames(correlation: Self.correlation, status: 204, params: Data("{}".utf8))
        #expect(try RequestMessage(parsing: reply.frames) == .reply(reply))
    }

    @Test(arguments: [
        (0, Data("x".utf8), RequestDrop.magic), (1, Data("MB2".utf8), .magic), (2, Data(count: 15), .correlation),
        (2, Data(count: 17), .correlation), (3, Data(), .method), (3, Data("Open".utf8), .method),
        (3, Data("199".utf8), .method), (3, Data("600".utf8), .method), (3, Data("20x".utf8), .method),
        (3, Data(repeating: 97, count: 65), .method), (4, Data(), .target), (4, Data("No Body".utf8), .target),
        (5, Data(), .deadline), (5, Data("-1".utf8), .deadline), (5, Data("1.5".utf8), .deadline),
        (5, Data("1000000000".utf8), .deadline), (7, Data(count: 1_048_577), .size),
    ])
    func `a malformed request is refused with its reason`(frame: Int, bytes: Data, reason: RequestDrop) {
        var frames = Self.request.frames
        frames[frame] = bytes
        #expect(throws: reason) { try RequestMessage(parsing: frames) }
    }

    @Test func `too few and too many frames are refused`() {
        for count in 0..<7 {
            #expect(throws: RequestDrop.self) { try RequestMessage(parsing: Array(Self.request.frames.prefix(count))) }
        }
        let many = Self.request.frames + Array(repeating: Data(), count: BusLimits.requestFrames)
        #expect(throws: RequestDrop.frames) { try RequestMessage(parsing: many) }
    }

    @Test func `a deadline that is too long is cut`() throws {
        var long = Self.request
        long.deadline = .seconds(99_999)
        guard case .request(let read) = try RequestMessage(parsing: long.frames) else { throw RequestDrop.method }
        #expect(read.deadline == RequestMessage.longestDeadline)
    }
}

struct AddressTests {
    @Test func `an address names three sockets`() throws {
        let local = try BusAddress("ipc:///var/bus/")
        #expect(
            [local.events, local.feed, local.requests] == [
                "ipc:///var/bus/events", "ipc:///var/bus/feed", "ipc:///var/bus/requests",
            ])
        let tcp = try BusAddress("tcp://127.0.0.1:5550")
        #expect(
            [tcp.events, tcp.feed, tcp.requests] == [
                "tcp://127.0.0.1:5550", "tcp://127.0.0.1:5551", "tcp://127.0.0.1:5552",
            ])
    }

    @Test(arguments: [
        "", "bus", "ipc://bus", "ipc://", "http://127.0.0.1:80", "tcp://127.0.0.1", "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65534", "tcp://:5550", "tcp://a b:5550", "tcp://[::1:5550", "tcp://a/b:5550", "tcp://-h:5550",
        "ipc:///\(String(repeating: "x", count: 100))",
    ])
    func `an address that cannot be used is refused`(text: String) {
        #expect(throws: BusError.self) { try BusAddress(text) }
    }

    @Test(arguments: ["tcp://127.0.0.1:5550", "tcp://10.0.0.1:5550", "tcp://bus.example.org:5550", "tcp://[::1]:5550"])
    func `over tcp nobody dials without a key`(text: String) throws {
        let bus = BusConnection(address: try BusAddress(text), logger: Logger(label: "test"))
        #expect { try bus.start() } throws: { "\($0)".contains("martlet keys generate") }
    }

    @Test func `nobody dials a place that is only good to listen`() throws {
        let bus = BusConnection(address: try BusAddress("tcp://*:5550"), logger: Logger(label: "test"))
        #expect { try bus.start() } throws: { "\($0)".contains("name the host") }
    }

    @Test func `a folder too long for a socket moves to a short one`() throws {
        let base = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"
        let long = base + "/" + String(repeating: "d", count: 90)
        let address = try BusAddress.embedded(in: long)
        #expect(address.directory?.hasPrefix("/tmp/martlet-") == true)
        #expect(try BusAddress.embedded(in: long) == address)
        if let directory = address.directory { try FileManager.default.removeItem(atPath: directory) }
    }
}

/// SplitMix64: the same seed gives the same run.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
