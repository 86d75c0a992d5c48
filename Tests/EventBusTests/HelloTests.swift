import Bus
import EventLog
import Foundation
import Messages
import Synchronization
import Testing

@testable import EventBus

/// A log's hello beside its own events, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HelloTests {
    /// A log to which something is committed while its first hello is on its way.
    private final class BusyLog: LogReader {
        let log = MemoryLog()
        private let isQuiet = Mutex(true)

        func head(of source: Source) async throws -> LogHead {
            let head = log.head
            let isFirst = isQuiet.withLock { quiet in
                defer { quiet = false }
                return quiet
            }
            if isFirst { log.append() }
            return head
        }

        func records(
            of source: Source, epoch: Int64, after: Int64, limit: Int, maxBytes: Int
        ) async throws -> [LogRecord] {
            try await log.records(of: source, epoch: epoch, after: after, limit: limit, maxBytes: maxBytes)
        }

        func snapshot(
            of source: Source, after: LogPlace?, limit: Int, maxBytes: Int
        ) async throws -> (head: LogHead, records: [LogRecord], more: Bool) {
            try await log.snapshot(of: source, after: after, limit: limit, maxBytes: maxBytes)
        }
    }

    /// Until the bus has passed it on.
    private func send(_ event: [Data], _ harness: Harness) throws {
        let context = try SocketContext()
        let pub = try Socket(.pub, in: context, options: [])
        try pub.connect(to: harness.address.events)
        let sub = try Socket(.sub, in: context, options: [], subscriptions: ["e/"])
        try sub.connect(to: harness.address.feed)
        for _ in 0..<2000 {
            _ = pub.send(event)
            if sub.heard(.milliseconds(5)).contains(event) { return }
        }
        throw TookTooLong()
    }

    @Test func `whoever publishes is asked for it, even when its events were heard before its hello`() async throws {
        let harness = try Harness()
        let bus = try await harness.bus()
        let reader = BusyLog()
        let source = reader.log.source
        let header = "MB1 E \(reader.log.head.epoch) 1 \(reader.log.head.chain.hex)"
        try send(frames("e/\(source)/dev.martlet.test.said.v1", header, "{}"), harness)
        let (speaking, asking) = (try harness.connection(), try harness.connection())
        let publisher = Publisher(bus: speaking, reader: reader, sources: [source], logger: harness.logger)
        let publishing = Task { await publisher.run() }
        try await within {
            while publisher.sent[source] == nil { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(try await asking.head(of: source).last == 1)
        #expect(publisher.refusals.isEmpty)
        publishing.cancel()
        await publishing.value
        for connection in [speaking, asking] { await connection.shutdown() }
        await bus.stop()
    }
}
