import Foundation
import Logging
import Testing

@testable import ServiceKit

#if canImport(Glibc)
    import Glibc
#endif

/// A client that sends what it likes; its calls block, so they run on a queue of their own.
private final class RawConnection: Sendable {
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "raw")

    struct Problem: Error {}

    init(port: Int) throws {
        signal(SIGPIPE, SIG_IGN)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Problem() }
    }

    deinit { close(descriptor) }

    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable (Int32) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { [descriptor] in continuation.resume(returning: body(descriptor)) }
        }
    }

    /// `false` once the other side has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) async -> Bool {
        await onQueue { descriptor in write(descriptor, bytes, bytes.count) == bytes.count }
    }

    @discardableResult
    func send(_ text: String) async -> Bool { await send(Array(text.utf8)) }

    /// What comes within the time; `nil` when nothing does, empty once the other side has closed.
    func receive(within limit: Duration) async -> String? {
        await onQueue { descriptor in
            var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waited, 1, Int32(limit / .milliseconds(1))) > 0 else { return nil }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = read(descriptor, &bytes, bytes.count)
            return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
        }
    }

    func get() async -> Bool {
        await send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        return await receive(within: .seconds(60))?.contains("200 OK") == true
    }

    /// Sends one byte after the other until the other side closes; `false` when it never does.
    func trickle(_ first: String) async -> Bool {
        await send(first)
        for _ in 0..<600 {
            if await receive(within: .milliseconds(100)) == "" { return true }
            if await !send("x") { return true }
        }
        return false
    }
}

@Suite(.timeLimit(.minutes(4))) struct HTTPDoorTests {
    private func open(_ limits: DoorLimits, _ body: (Int) async throws -> Void) async throws {
        let file = NSTemporaryDirectory() + "door-\(UUID().uuidString).json"
        let server = HealthServer(
            host: "127.0.0.1", port: 0, addressFile: file, readiness: Readiness(), metrics: MetricsRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, limits: limits)
        let task = Task { try await server.run() }
        defer {
            task.cancel()
            try? FileManager.default.removeItem(atPath: file)
        }
        while true {
            if let address = ServiceAddress.read(from: file) { return try await body(address.port) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test(arguments: [
        "", "GET /healthz HT", "POST /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n",
    ])
    func `who sends a request byte by byte is let go, and others are answered meanwhile`(first: String) async throws {
        try await open(DoorLimits(grace: .seconds(1))) { port in
            let slow = try RawConnection(port: port)
            async let isClosed = slow.trickle(first)
            #expect(try await RawConnection(port: port).get())
            #expect(await isClosed)
        }
    }

    @Test func `a connection at rest outlives the time that a request has`() async throws {
        try await open(DoorLimits(grace: .seconds(1))) { port in
            let resting = try RawConnection(port: port)
            #expect(await resting.get())
            // Later than this one, and gone before it: the time is over.
            let silent = try RawConnection(port: port)
            #expect(await silent.receive(within: .seconds(60)) == "")
            #expect(await resting.get())
        }
    }

    @Test func `so many connections are served, the next one waits for a place`() async throws {
        try await open(DoorLimits(connections: 2)) { port in
            let first = try RawConnection(port: port)
            #expect(await first.get())
            var second: RawConnection? = try RawConnection(port: port)
            #expect(await second?.get() == true)
            let third = try RawConnection(port: port)
            await third.send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            #expect(await third.receive(within: .milliseconds(500)) == nil)
            second = nil
            #expect(await third.receive(within: .seconds(60))?.contains("200 OK") == true)
        }
    }

    @Test func `a body that nobody wants is not read for ever`() async throws {
        try await open(DoorLimits(body: 1024)) { port in
            let flood = try RawConnection(port: port)
            await flood.send("GET /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\n")
            let block = [UInt8](repeating: 120, count: 1 << 20)
            var sent = 0
            while sent < 256, await flood.send(block) { sent += 1 }
            #expect(sent < 256)
        }
    }
}
