import EventLog
import Foundation
import Logging
import Messages

/// Follows logs: what is heard on the feed is applied when it is exactly the next record, anything else is fetched.
///
/// Each source is followed by a task of its own, so one that is far behind or quarantined holds up nobody else.
/// While a source is quarantined, ``LogFollower/cursor(for:)`` may throw its `Fork`; following goes on when it no longer
/// does, or when the cursor has been moved.
package final class Subscriber: Sendable {
    static let silence = Duration.seconds(15)
    private static let opening = Duration.milliseconds(250)
    private static let releasePoll = Duration.seconds(5)

    private let bus: BusConnection
    private let sources: [Source]
    private let follower: any LogFollower
    private let logger: Logger
    private let onSilent: @Sendable (Source, Duration) async -> Void

    /// - Parameter onSilent: a source was not heard for 15 s though the bus was; called once each time.
    package init(
        bus: BusConnection, sources: [Source], follower: any LogFollower, logger: Logger,
        onSilent: @escaping @Sendable (Source, Duration) async -> Void = { _, _ in }
    ) {
        self.bus = bus
        self.sources = sources
        self.follower = follower
        self.logger = logger
        self.onSilent = onSilent
    }

    /// Follows until the task is canceled.
    package func run() async throws {
        guard let live = bus.live else { throw BusError.closed }
        await withTaskGroup { group in
            for source in Set(sources) {
                group.addTask { await self.follow(source, live) }
            }
        }
    }

    private func follow(_ source: Source, _ live: LiveSide) async {
        let ring = FeedRing()
        let id = live.follow(source, into: ring)
        defer { live.unfollow(id) }
        var fork: (Fork, LogCursor?)?
        while !Task.isCancelled {
            guard let start = await readCursor(source, unless: fork) else { return }
            var state = FollowerState(source: source, cursor: start.cursor, now: uptime(), opening: Self.opening)
            guard let found = await drive(&state, ring) else { return }
            fork = (found, start.cursor)
            if let held = try? await follower.cursor(for: source) { fork = (found, held) }
        }
    }

    /// Waits while the source is quarantined or the store cannot be read; `nil` when canceled.
    private func readCursor(_ source: Source, unless fork: (Fork, LogCursor?)?) async -> (cursor: LogCursor?, Void)? {
        var fork = fork
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                let cursor = try await follower.cursor(for: source)
                guard let stopped = fork else { return (cursor, ()) }
                if cursor != stopped.1 { return (cursor, ()) }
                pause = Self.releasePoll
            } catch is Fork {
                // The store itself keeps the quarantine; once it lets go, the same cursor is good again.
                fork = nil
                pause = Self.releasePoll
            } catch {
                logger.error(
                    "the cursor cannot be read; trying again",
                    metadata: ["source": "\(source)", "error": "\(error)"])
                pause = min(pause * 2, Self.releasePoll)
            }
            try? await Task.sleep(for: pause)
        }
        return nil
    }

    /// Returns the fork that ended it, or `nil` when canceled.
    private func drive(_ state: inout FollowerState, _ ring: FeedRing) async -> Fork? {
        var silence = SilenceWatch(since: .now)
        var wasCompacted = false
        while !Task.isCancelled {
            take(ring.take(FollowerState.batch), into: &state)
            switch state.next(now: uptime()) {
            case .apply(let records):
                async let stopped = apply(records)
                let request = state.ahead(now: uptime())
                let answer: FetchAnswer? = if let request { await fetch(request, from: state.source) } else { nil }
                if let fork = await stopped { return fork }
                if let answer { state.fetched(answer, now: uptime(), jitter: Self.jitter()) }
            case .fetch(let request):
                let answer = await fetch(request, from: state.source)
                state.fetched(answer, now: uptime(), jitter: Self.jitter())
                if state.isCompacted, !wasCompacted { logCompacted(state) }
                wasCompacted = state.isCompacted
            case .quarantine(let fork):
                await quarantine(fork)
                return fork
            case .wait(let deadline):
                if let seconds = silence.check(lastHeard: ring.lastHeard, isBusThere: bus.isConnected, now: .now) {
                    await onSilent(state.source, seconds)
                }
                guard ring.isEmpty else { continue }
                let pause = deadline.map { max(.zero, $0 - uptime()) } ?? Self.silence
                await ring.signal.wait(until: .now + min(pause, Self.silence))
            }
        }
        return nil
    }

    private func take(_ batch: FeedRing.Batch, into state: inout FollowerState) {
        let now = uptime()
        if batch.established { state.established(now: now, jitter: Self.jitter()) }
        for message in batch.messages {
            switch message {
            case .record(let record): state.received(record, now: now, jitter: Self.jitter())
            case .heartbeat(let epoch, let last, let chain):
                state.heartbeat(epoch: epoch, last: last, chain: chain, now: now, jitter: Self.jitter())
            }
        }
        if batch.overflowed { state.overflowed(now: now, jitter: Self.jitter()) }
    }

    private static func jitter() -> Duration { .milliseconds(Int.random(in: 0...200)) }

    private func fetch(_ request: FetchRequest, from source: Source) async -> FetchAnswer {
        do {
            return FetchAnswer(try await bus.fetch(request, from: source, timeout: .seconds(5)), of: source)
        } catch {
            return .failed("\(error)")
        }
    }

    /// Applies them, however often it takes: the place in the log is not lost when the disk is full.
    private func apply(_ batch: [LogRecord]) async -> Fork? {
        var records = batch[...]
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled, let source = records.first?.source {
            do {
                try await follower.apply(Array(records))
                return nil
            } catch let fork as Fork {
                await quarantine(fork)
                return fork
            } catch {
                if Task.isCancelled { return nil }
                logger.error(
                    "events cannot be applied; trying again",
                    metadata: ["source": "\(source)", "count": "\(records.count)", "error": "\(error)"])
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
            // It may have been committed although it was reported as failed.
            guard let cursor = try? await follower.cursor(for: source) else { continue }
            records = records.drop { $0.epoch == cursor.epoch && $0.seq <= cursor.seq }
        }
        return nil
    }

    private func quarantine(_ fork: Fork) async {
        logger.critical(
            "a log contradicts what was read of it before; it is not followed until an operator releases it",
            metadata: [
                "source": "\(fork.source)", "epoch": "\(fork.epoch)", "seq": "\(fork.seq)",
                "expected": "\(fork.expected)", "found": "\(fork.found)",
            ])
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                return try await follower.quarantine(fork)
            } catch {
                logger.error("the quarantine cannot be stored; trying again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    private func logCompacted(_ state: FollowerState) {
        logger.error(
            "the next events of a log were deleted by its owner before they were read here",
            metadata: ["source": "\(state.source)", "after": "\(state.cursor?.seq ?? 0)"])
    }
}
