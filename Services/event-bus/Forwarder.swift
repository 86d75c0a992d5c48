import Bus
import EventLog
import Foundation
import Logging
import Messages
import Synchronization

/// Passes live messages from publishers to subscribers, each one checked (bus.md 2 and 3).
///
/// A loop of its own, not `zmq_proxy`: what a subscriber sends upstream is never passed on.
final class Forwarder: Sendable {
    private let address: BusAddress
    private let heads: RememberedHeads
    private let counts: BusCounts
    private let logger: Logger
    private let wakeup: Wakeup
    private let isStopping = Mutex(false)
    /// New in each life, so that subscribers notice that they may have missed something.
    private let epoch: Int64

    init(
        address: BusAddress, epoch: Int64, heads: RememberedHeads, counts: BusCounts, logger: Logger
    ) throws(BusError) {
        self.address = address
        self.epoch = epoch
        self.heads = heads
        self.counts = counts
        self.logger = logger
        wakeup = try Wakeup()
    }

    func stop() {
        isStopping.withLock { $0 = true }
        wakeup.wake()
    }

    /// On a thread of its own, until ``stop()``.
    /// - Parameter bound: called once, with what kept the sockets from listening.
    func run(bound: (BusError?) -> Void) {
        do throws(BusError) {
            let context = try SocketContext()
            let events = try Socket(.xsub, in: context, options: SocketOption.xsub)
            let feed = try Socket(.xpub, in: context, options: SocketOption.xpub)
            try events.bind(to: address.events)
            try feed.bind(to: address.feed)
            // Everything, from every publisher: the feed filters, not the publishers.
            _ = events.send([Data([1])])
            bound(nil)
            forward(from: events, to: feed)
        } catch {
            bound(error)
        }
    }

    private func forward(from events: borrowing Socket, to feed: borrowing Socket) {
        var parts = MessageParts()
        var poll = PollSet()
        poll.add(events)
        poll.add(feed)
        poll.add(wakeup)
        var beats: Int64 = 0
        var beatAt = ContinuousClock.now
        while !isStopping.withLock({ $0 }) {
            wakeup.clear()
            let isGreeting = newcomers(on: feed)
            if isGreeting || beatAt <= .now {
                beats += 1
                beat(beats, to: feed)
                counts.flush()
                if !isGreeting { beatAt = .now + .seconds(1) }
            }
            let more = pass(from: events, to: feed, &parts)
            poll.wait(more ? .zero : max(.zero, beatAt - .now))
        }
    }

    /// - Returns: whether somebody subscribed to this bus's heartbeat, who then hears it at once: their other
    ///   subscriptions, made before, are in effect too.
    private func newcomers(on feed: borrowing Socket) -> Bool {
        var found = false
        while let (frames, _) = feed.receive() {
            guard frames.count == 1, let kind = frames[0].first, kind <= 1 else {
                counts.dropped("upstream")
                continue
            }
            if kind == 1, frames[0].dropFirst() == Self.topic { found = true }
        }
        return found
    }

    private static let topic = Data("h/\(Source.eventBus)".utf8)

    private func beat(_ seq: Int64, to feed: borrowing Socket) {
        let header = LiveHeader(kind: .heartbeat, epoch: epoch, seq: seq, chain: .unknown)
        _ = feed.send([Self.topic, header.bytes, Data()])
    }

    /// - Returns: whether there may be more. Bounded, so that newcomers and the heartbeat get their turn.
    private func pass(from events: borrowing Socket, to feed: borrowing Socket, _ parts: inout MessageParts) -> Bool {
        var passed = 0
        defer { counts.forwarded(passed) }
        for _ in 0..<1000 {
            guard parts.receive(from: events) else { return false }
            do throws(LiveDrop) {
                try judge(parts, to: feed)
                if parts.count == 3 { _ = parts.send(to: feed) }
                passed += 1
            } catch {
                counts.dropped(error.rawValue)
            }
        }
        return true
    }

    /// Two frames are an outsider's telemetry and are sent on from here, three are to be sent on as they are.
    private func judge(_ parts: borrowing MessageParts, to feed: borrowing Socket) throws(LiveDrop) {
        switch parts.count {
        case 2:
            _ = try LiveCheck.checkOutsider(topic: parts.bytes(0), body: parts.bytes(1))
            _ = feed.send([parts.copy(0), LiveHeader.telemetry.bytes, parts.copy(1)])
        case 3:
            let (topic, header) = try LiveCheck.check(
                topic: parts.bytes(0), header: parts.bytes(1), body: parts.bytes(2))
            // This name is the bus's own.
            guard topic.name != Source.eventBus.name else { throw .topic }
            if header.kind != .telemetry {
                heads.observe(topic.name, RememberedHeads.Head(epoch: header.epoch, last: header.seq))
            }
        default: throw .frames
        }
    }
}
