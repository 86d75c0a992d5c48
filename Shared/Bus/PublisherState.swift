import EventLog
import Foundation
import Messages

/// What one log's publisher has sent, and what it has to do next (bus.md 5 and 7).
///
/// Pure, like ``FollowerState``. The mark is volatile: what was not sent is fetched by those who miss it.
package struct PublisherState: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        /// Tell the bus where the log stands; answer with ``helloAnswered(_:at:now:)``.
        case hello
        /// Read and send at most `limit` records; answer with ``sent(_:of:last:now:)``.
        case send(after: Int64, limit: Int)
        /// Read the head, tell it to ``headRead(_:now:)``, and send a heartbeat.
        case beat
        case wait(until: Duration)
    }

    package enum HelloAnswer: Sendable, Equatable {
        case welcome
        /// The bus remembers a newer head than ours.
        case refused
        /// The bus has heard newer events than this hello told of, and the log has them: it does not know yet whom to ask
        /// for them.
        case outrun
        case none
    }

    package static let heartbeat = Duration.seconds(1)
    package static let beacon = Duration.milliseconds(50)
    package static let helloPause = Duration.seconds(10)
    package static let farBehind: Int64 = 1000
    package static let longMuted = Duration.seconds(5)
    private static let batch = 256

    /// The last record sent, or skipped.
    package private(set) var mark: Int64 = 0
    package private(set) var isAnnounced = false
    package private(set) var epoch: Int64 = 0
    private var hasMore = false
    private var mutedSince: Duration?
    private var sendAt: Duration = .zero
    private var helloAt: Duration
    private var isSayingHello = false
    /// There was a new connection while a hello was out: its answer may be that of the life before.
    private var isHelloStale = false
    private var beatAt: Duration = .zero

    package init(now: Duration) { helloAt = now }

    package mutating func next(now: Duration) -> Step {
        if helloAt <= now, !isSayingHello {
            isSayingHello = true
            return .hello
        }
        let nextHello = isSayingHello ? now + Self.helloPause : helloAt
        // Nothing is published before the bus has welcomed this log.
        guard isAnnounced else { return .wait(until: nextHello) }
        if hasMore, sendAt <= now {
            hasMore = false
            return .send(after: mark, limit: Self.batch)
        }
        if beatAt <= now {
            // At whole seconds of the machine's own clock: heartbeats of all services come together, and wake an idle
            // follower once a second instead of once for each service.
            beatAt = .seconds(now.components.seconds) + Self.heartbeat
            return .beat
        }
        return .wait(until: min(nextHello, beatAt, hasMore ? sendAt : beatAt))
    }

    /// Something was committed.
    package mutating func woken() { hasMore = true }

    /// Another bus, or another life of it, has to be told.
    package mutating func reconnected(now: Duration) {
        helloAt = now
        isHelloStale = isSayingHello
    }

    package mutating func helloAnswered(_ answer: HelloAnswer, at head: LogHead, now: Duration) {
        isSayingHello = false
        switch answer {
        case .welcome:
            helloAt = now + Self.helloPause
            if !isAnnounced || epoch != head.epoch { begin(at: head, now: now) }
        case .refused:
            isAnnounced = false
            helloAt = now + Self.helloPause
        case .outrun:
            // Silent until the bus has let the log in: what goes out meanwhile would outrun the next hello too. Whoever
            // was silent already was outrun by another, and is in no hurry.
            helloAt = isAnnounced ? now : now + .seconds(1)
            isAnnounced = false
        case .none: helloAt = now + .seconds(1)
        }
        if isHelloStale { helloAt = now }
        isHelloStale = false
    }

    private mutating func begin(at head: LogHead, now: Duration) {
        isAnnounced = true
        epoch = head.epoch
        mark = head.last
        beatAt = now
    }

    /// - Parameters:
    ///   - count: how many went out; fewer than `total`: the socket is full.
    ///   - last: the seq of the last that went out.
    package mutating func sent(_ count: Int, of total: Int, last: Int64, now: Duration) {
        if count > 0 {
            mark = max(mark, last)
            // The burst may end here: say so soon, for those who lost its end.
            beatAt = min(beatAt, now + Self.beacon)
        }
        if count < total {
            mutedSince = mutedSince ?? now
            hasMore = true
            sendAt = now + .milliseconds(20)
            if let mutedSince, now - mutedSince > Self.longMuted { beatAt = now }
        } else if total > 0 {
            mutedSince = nil
            hasMore = hasMore || total == Self.batch
            // Far behind is found by comparing with the head, which the heartbeat reads anyway.
            if total == Self.batch { beatAt = now }
        }
    }

    package mutating func headRead(_ head: LogHead, now: Duration) {
        guard head.epoch == epoch else {
            isAnnounced = false
            helloAt = now
            return
        }
        let behind = head.last - mark
        let isLongMuted = mutedSince.map { now - $0 > Self.longMuted } ?? false
        if behind > Self.farBehind || isLongMuted {
            mark = head.last
            mutedSince = nil
            hasMore = false
        } else if behind > 0 {
            hasMore = true
        }
    }
}
