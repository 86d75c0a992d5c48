import Bus
import Dispatch
import EventLog
import Foundation
import Logging
import Messages
import Synchronization

/// Passes live messages from publishers to subscribers, each one checked (bus.md 2, 3 and 8).
///
/// A loop of its own, not `zmq_proxy`: what a subscriber sends upstream is never passed on.
final class Forwarder: Sendable {
    private let address: BusAddress
    private let keys: KeyPair?
    private let watch: KeyWatch
    private let heads: RememberedHeads
    private let counts: BusCounts
    private let logger: Logger
    private let wakeup: Wakeup
    private let isStopping = Mutex(false)
    /// New in each life, so that subscribers notice that they may have missed something.
    private let epoch: Int64

    /// What one thread knows beside its sockets.
    private struct Life: ~Copyable {
        var gate: LiveGate
        var generation: Int
        var parts = MessageParts()
        var feed: FeedDoor
        var beats: Int64 = 0
        var beatAt = ContinuousClock.now
    }

    init(
        address: BusAddress, keys: KeyPair?, watch: KeyWatch, epoch: Int64, heads: RememberedHeads, counts: BusCounts,
        logger: Logger
    ) throws(BusError) {
        self.address = address
        self.keys = keys
        self.watch = watch
        self.epoch = epoch
        self.heads = heads
        self.counts = counts
        self.logger = logger
        wakeup = try Wakeup()
        watch.tell(wakeup)
    }

    func stop() {
        isStopping.withLock { $0 = true }
        wakeup.wake()
    }

    /// On a thread of its own, until ``stop()``.
    /// - Parameter bound: called once, with what kept the sockets from listening.
    /// - Throws: what ended it later; the bus cannot go on without it.
    func run(bound: (BusError?) -> Void) throws(BusError) {
        var isBound = false
        do throws(BusError) {
            let context = try SocketContext()
            let zap = try ZapDoor(in: context)
            let events = try Socket(.xsub, in: context, options: SocketOption.xsub + curve(.events))
            try events.bind(to: address.events)
            // Everything, from every publisher: the feed filters, not the publishers.
            _ = events.send([Data([1])])
            let generation = watch.generation
            var life = Life(
                gate: LiveGate(authority: watch.authority), generation: generation, feed: FeedDoor(isKeyed: keys != nil)
            )
            while true {
                let feed = try openFeed(context, again: isBound)
                life.feed.opened()
                if !isBound { bound(nil) }
                isBound = true
                guard forward(from: events, to: feed, zap, &life) else { return }
                logger.notice("the feed is opened anew: somebody may hear less than before")
            }
        } catch {
            guard isBound else { return bound(error) }
            throw error
        }
    }

    private func curve(_ door: Authority.Door) -> [SocketOption] {
        keys.map { SocketOption.server($0, domain: door.rawValue) } ?? []
    }

    /// - Parameter again: the former one was just closed, which takes libzmq a moment.
    private func openFeed(_ context: borrowing SocketContext, again: Bool) throws(BusError) -> Socket {
        let options = keys == nil ? SocketOption.xpub : SocketOption.keyedXpub + curve(.feed)
        let feed = try Socket(.xpub, in: context, options: options)
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            do throws(BusError) {
                try feed.bind(to: address.feed)
                return feed
            } catch {
                guard again, .now < deadline else { throw error }
                var pause = PollSet()
                pause.wait(.milliseconds(5))
            }
        }
    }

    /// One life of the feed's socket.
    /// - Returns: whether the feed is to be opened anew; `false`: stop.
    private func forward(
        from events: borrowing Socket, to feed: borrowing Socket, _ zap: borrowing ZapDoor, _ life: inout Life
    ) -> Bool {
        var poll = PollSet()
        poll.add(events)
        poll.add(feed)
        poll.add(zap.socket)
        poll.add(wakeup)
        while !isStopping.withLock({ $0 }) {
            wakeup.clear()
            if adoptRights(&life) { return true }
            zap.answer(life.gate.authority, counts, refusing: life.feed.shutOut)
            let heard = life.feed.receive(from: feed, life.gate, counts)
            if heard == .reopen { return true }
            if heard == .greet || life.beatAt <= .now {
                life.beats += 1
                beat(life.beats, to: feed)
                counts.flush()
                if heard != .greet { life.beatAt = .now + untilWholeSecond() }
            }
            let more = pass(from: events, to: feed, &life)
            poll.wait(more ? .zero : max(.zero, life.beatAt - .now))
        }
        return false
    }

    private func adoptRights(_ life: inout Life) -> Bool {
        let generation = watch.generation
        guard generation != life.generation else { return false }
        life.generation = generation
        return life.gate.adopt(watch.authority)
    }

    private static let telemetry = Array("t/".utf8)

    private func beat(_ seq: Int64, to feed: borrowing Socket) {
        let header = LiveHeader(kind: .heartbeat, epoch: epoch, seq: seq, chain: .unknown)
        _ = feed.send([FeedDoor.topic, header.bytes, Data()])
    }

    /// - Returns: whether there may be more. Bounded, so that newcomers and the heartbeat get their turn.
    private func pass(from events: borrowing Socket, to feed: borrowing Socket, _ life: inout Life) -> Bool {
        var passed = 0
        defer { counts.forwarded(passed) }
        let now = Duration.nanoseconds(Int64(DispatchTime.now().uptimeNanoseconds))
        for _ in 0..<1000 {
            guard life.parts.receive(from: events) else { return false }
            let key = life.parts.key
            do {
                try judge(life.parts, key, &life.gate, now: now, to: feed)
                if life.parts.count == 3 { _ = life.parts.send(to: feed) }
                passed += 1
            } catch {
                deny(error, key, life)
            }
        }
        return true
    }

    private func deny(_ error: any Error, _ key: PeerKey?, _ life: borrowing Life) {
        let reason = (error as? LiveDrop)?.rawValue ?? (error as? Denial)?.rawValue ?? "other"
        let topic =
            life.parts.count > 0
            ? String(decoding: life.parts.bytes(0).prefix(BusLimits.topicBytes), as: UTF8.self) : ""
        counts.denied(reason, client: life.gate.name(key), key: key, example: topic)
    }

    /// Two frames are an outsider's telemetry and are sent on from here, three are to be sent on as they are.
    private func judge(
        _ parts: borrowing MessageParts, _ key: PeerKey?, _ gate: inout LiveGate, now: Duration,
        to feed: borrowing Socket
    ) throws {
        let client = try gate.enter(key, isTelemetry: parts.bytes(0).starts(with: Self.telemetry), now: now)
        switch parts.count {
        case 2:
            let topic = try LiveCheck.checkOutsider(topic: parts.bytes(0), body: parts.bytes(1))
            try gate.check(topic, parts.bytes(0), of: client)
            _ = feed.send([parts.copy(0), LiveHeader.telemetry.bytes, parts.copy(1)])
        case 3:
            let (topic, header) = try LiveCheck.check(
                topic: parts.bytes(0), header: parts.bytes(1), body: parts.bytes(2))
            // This name is the bus's own.
            guard topic.name != Source.eventBus.name else { throw LiveDrop.topic }
            try gate.check(topic, parts.bytes(0), of: client)
            // How far a log is, and so who is too old to be let in, only its owner says.
            if header.kind != .telemetry, client.rights.speaks(for: topic.name) {
                heads.observe(topic.name, RememberedHeads.Head(epoch: header.epoch, last: header.seq))
            }
        default: throw LiveDrop.frames
        }
    }
}
