import Dispatch
import EventLog
import Foundation
import Logging
import Messages
import Synchronization

/// The publish and feed side towards one bus: its sockets are all on this loop's thread.
final class LiveLoop: Sendable {
    /// What other threads want of the sockets' thread.
    private struct Orders {
        var publications: [Publication] = []
        var subscriptionsChanged = false
        var stop = false
    }

    private struct Publication {
        var messages: [[Data]]
        /// How many went out before the socket was full.
        var done: @Sendable (Int) -> Void
    }

    private struct Followers {
        var rings: [Int: (source: String, ring: FeedRing)] = [:]
        var listeners: [Int: (prefix: String, tell: @Sendable (TelemetryMessage) -> Void)] = [:]
        var next = 0
    }

    private let address: BusAddress
    private let credentials: BusCredentials?
    private let logger: Logger
    private let wakeup: Wakeup
    private let orders = Mutex(Orders())
    private let telemetry = Mutex(TelemetryQueue())
    static let telemetryDrop = "telemetry"
    private let followers = Mutex(Followers())
    private let counts: DropCounts
    private let busHeard = Mutex<ContinuousClock.Instant?>(nil)
    private let opening = OpeningPauses()
    /// Called on this loop's thread when the bus has not been heard for ``BusWatch/patience``.
    private let onSilent: @Sendable () -> Void
    private static let busTopic = "h/\(Source.eventBus)"

    init(
        address: BusAddress, credentials: BusCredentials?, logger: Logger, counts: DropCounts,
        onSilent: @escaping @Sendable () -> Void = {}
    ) throws(BusError) {
        self.onSilent = onSilent
        self.address = address
        self.credentials = credentials
        self.logger = logger
        self.counts = counts
        wakeup = try Wakeup()
    }

    /// When the bus itself was last heard.
    var lastHeardBus: ContinuousClock.Instant? { busHeard.withLock { $0 } }

    var isBusThere: Bool {
        lastHeardBus.map { ContinuousClock.now - $0 < BusWatch.patience } ?? false
    }

    /// Why its sockets cannot be opened at the moment.
    var problem: String? { opening.problem }

    // MARK: From any thread

    /// - Returns: how many messages went out, in order, before the socket was full. All of them: not muted.
    func publish(_ messages: [[Data]]) async -> Int {
        await withCheckedContinuation { continuation in
            let accepted = orders.withLock { orders in
                guard !orders.stop else { return false }
                orders.publications.append(Publication(messages: messages) { continuation.resume(returning: $0) })
                return true
            }
            if accepted { wakeup.wake() } else { continuation.resume(returning: 0) }
        }
    }

    /// Lossy: whether it went out is not known.
    func publishTelemetry(_ message: [Data]) {
        let dropped = telemetry.withLock { $0.add(message) }
        if dropped > 0 { counts.add(Self.telemetryDrop, dropped) }
        wakeup.wake()
    }

    /// - Parameter tell: called on the sockets' thread, must not block.
    func hear(_ prefix: String, _ tell: @escaping @Sendable (TelemetryMessage) -> Void) -> Int {
        let id = followers.withLock { followers in
            followers.next += 1
            followers.listeners[followers.next] = (prefix, tell)
            return followers.next
        }
        changeSubscriptions()
        return id
    }

    func unhear(_ id: Int) {
        _ = followers.withLock { $0.listeners.removeValue(forKey: id) }
        changeSubscriptions()
    }

    func follow(_ source: Source, into ring: FeedRing) -> Int {
        let id = followers.withLock { followers in
            followers.next += 1
            followers.rings[followers.next] = (source.name, ring)
            return followers.next
        }
        changeSubscriptions()
        return id
    }

    func unfollow(_ id: Int) {
        _ = followers.withLock { $0.rings.removeValue(forKey: id) }
        changeSubscriptions()
    }

    private func changeSubscriptions() {
        orders.withLock { $0.subscriptionsChanged = true }
        wakeup.wake()
    }

    func stop() {
        orders.withLock { $0.stop = true }
        wakeup.wake()
    }

    // MARK: On the sockets' thread

    func run() {
        while true {
            do throws(BusError) {
                try loop()
                break
            } catch {
                guard rest(after: error) else { break }
            }
        }
        let left = orders.withLock { orders in
            orders.stop = true
            defer { orders.publications = [] }
            return orders.publications
        }
        for publication in left { publication.done(0) }
    }

    private func loop() throws(BusError) {
        let context = try SocketContext()
        let pub = try Socket(.pub, in: context, options: SocketOption.pub(address) + SocketOption.client(credentials))
        try pub.connect(to: address.events)
        let side = try Socket(
            .pub, in: context, options: SocketOption.telemetryPub(address) + SocketOption.client(credentials))
        try side.connect(to: address.events)
        while true {
            // What is open stays so: opened anew in a want of files, it would lose its place too.
            do throws(BusError) {
                guard try listen(context, pub, side) else { return }
            } catch {
                guard rest(after: error) else { return }
            }
        }
    }

    /// Waits before the sockets are opened again. What is to be said meanwhile has no way out.
    /// - Returns: `false`: told to stop.
    private func rest(after error: BusError) -> Bool {
        let pause = opening.failed(error)
        logger.error(
            "the bus connection cannot be opened, trying again",
            metadata: ["bus": "\(address)", "error": "\(error)", "pause": "\(pause)"])
        let end = uptime() + pause
        var poll = PollSet()
        poll.add(wakeup)
        while true {
            wakeup.clear()
            let (publications, _, stop) = takeOrders()
            for publication in publications { publication.done(0) }
            if stop { return false }
            let left = end - uptime()
            guard left > .zero else { return true }
            poll.wait(left)
        }
    }

    /// One life of the SUB. `false`: stop.
    private func listen(
        _ context: borrowing SocketContext, _ pub: borrowing Socket, _ side: borrowing Socket
    ) throws(BusError) -> Bool {
        var subscribed = wantedTopics()
        // Everything is subscribed to before the connection is made, so it takes effect all at once.
        let sub = try Socket(
            .sub, in: context, options: SocketOption.sub(address) + SocketOption.client(credentials),
            subscriptions: subscribed.sorted())
        try sub.connect(to: address.feed)
        opening.opened()
        var parts = MessageParts()
        var poll = PollSet()
        poll.add(sub)
        poll.add(wakeup)
        while true {
            wakeup.clear()
            let (publications, changed, stop) = takeOrders()
            if stop { return finish(publications) }
            for publication in publications { publication.done(send(publication.messages, to: pub)) }
            if changed { try resubscribe(sub, from: &subscribed) }
            sendTelemetry(to: side)
            receive(from: sub, &parts)
            let now = uptime()
            let deadline = watch.withLock { $0.deadline }
            if deadline <= now {
                watch.withLock { $0.reopened(now: now) }
                logger.debug("the bus is silent; opening the feed again", metadata: ["bus": "\(address)"])
                onSilent()
                return true
            }
            poll.wait(deadline - now)
        }
    }

    private let watch = Mutex(BusWatch(now: uptime()))

    private func finish(_ publications: [Publication]) -> Bool {
        for publication in publications { publication.done(0) }
        return false
    }

    private func takeOrders() -> ([Publication], Bool, Bool) {
        orders.withLock { orders in
            defer {
                orders.publications = []
                orders.subscriptionsChanged = false
            }
            return (orders.publications, orders.subscriptionsChanged, orders.stop)
        }
    }

    private func wantedTopics() -> Set<String> {
        let (sources, prefixes) = followers.withLock { followers in
            (Set(followers.rings.values.map(\.source)), followers.listeners.values.map(\.prefix))
        }
        return Set(sources.flatMap { ["e/\($0)/", "h/\($0)"] }).union(prefixes).union([Self.busTopic])
    }

    private func resubscribe(_ sub: borrowing Socket, from subscribed: inout Set<String>) throws(BusError) {
        let wanted = wantedTopics()
        for topic in subscribed.subtracting(wanted) { try sub.unsubscribe(from: topic) }
        for topic in wanted.subtracting(subscribed).sorted() { try sub.subscribe(to: topic) }
        // Said once more, and last: the bus answers with its heartbeat, which shows that the others are in effect.
        try sub.unsubscribe(from: Self.busTopic)
        try sub.subscribe(to: Self.busTopic)
        subscribed = wanted
        // The next heartbeat of the bus establishes anew.
        watch.withLock { $0.expectGreeting() }
    }

    private func send(_ messages: [[Data]], to pub: borrowing Socket) -> Int {
        for (index, message) in messages.enumerated() where pub.send(message) != .sent { return index }
        return messages.count
    }

    /// Whatever has no room now is dropped: it would be old when there is.
    private func sendTelemetry(to side: borrowing Socket) {
        let messages = telemetry.withLock { $0.takeAll() }
        guard !messages.isEmpty else { return }
        let sent = send(messages, to: side)
        if sent < messages.count { counts.add(Self.telemetryDrop, messages.count - sent) }
    }

    private func receive(from sub: borrowing Socket, _ parts: inout MessageParts) {
        // Bounded, so that a flood of events does not keep our own publications waiting.
        for _ in 0..<256 {
            guard parts.receive(from: sub) else { return }
            guard parts.count == 3 else {
                counts.add(LiveDrop.frames.rawValue)
                continue
            }
            do throws(LiveDrop) {
                let (topic, header) = try LiveCheck.check(
                    topic: parts.bytes(0), header: parts.bytes(1), body: parts.bytes(2))
                handOver(topic, header, parts)
            } catch {
                counts.add(error.rawValue)
            }
        }
        wakeup.wake()
    }

    private func handOver(_ topic: LiveTopic, _ header: LiveHeader, _ parts: borrowing MessageParts) {
        switch header.kind {
        case .telemetry:
            guard let message = TelemetryMessage(topic: topic, body: parts.copy(2)) else { return }
            for (_, listener) in followers.withLock({ $0.listeners }) where message.topic.hasPrefix(listener.prefix) {
                listener.tell(message)
            }
        case .heartbeat:
            if topic.name == Source.eventBus.name { return heardBus(header.epoch) }
            push(.heartbeat(epoch: header.epoch, last: header.seq, chain: header.chain), of: topic.name)
        case .event:
            guard let record = LogRecord(topic: topic, header: header, body: parts.copy(2)) else { return }
            push(.record(record), of: topic.name)
        }
    }

    private func push(_ message: FeedMessage, of source: String) {
        for (_, follower) in followers.withLock({ $0.rings }) where follower.source == source {
            follower.ring.push(message)
        }
    }

    private func heardBus(_ epoch: Int64) {
        busHeard.withLock { $0 = .now }
        guard watch.withLock({ $0.heard(epoch: epoch, now: uptime()) }) else { return }
        for (_, follower) in followers.withLock({ $0.rings }) { follower.ring.establish() }
    }
}

/// Monotonic time as the pure state machines count it: since the machine began, the same in every process on it.
func uptime() -> Duration { .nanoseconds(Int64(DispatchTime.now().uptimeNanoseconds)) }

/// Until the machine's own clock has its next whole second. What an idle process does once a second it does then, as all of
/// them do: so each wakes once for its own work and for what the others send.
package func untilWholeSecond() -> Duration {
    let now = uptime()
    return .seconds(now.components.seconds + 1) - now
}
