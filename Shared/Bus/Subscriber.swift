import EventLog
import Foundation
import Logging
import Messages
import Synchronization

/// Follows logs: what is heard on the feed is applied when it is exactly the next record, anything else is fetched.
///
/// Each source is followed by a task of its own, so one that is far behind or quarantined holds up nobody else.
/// A quarantined source is not followed until its halt is released; then the follower lands on what the owner's log is
/// by then.
package final class Subscriber: Sendable {
    static let silence = Duration.seconds(15)
    private static let opening = Duration.milliseconds(250)
    private static let releasePoll = Duration.seconds(1)

    private let bus: BusConnection
    private let sources: [Source]
    private let follower: any LogFollower
    private let logger: Logger
    private let onSilent: @Sendable (Source, Duration) async -> Void
    private let behind = Mutex<[Source: Int64]>([:])

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

    /// Events of each log that are known of and not applied; only while it follows.
    package var lags: [Source: Int64] { behind.withLock { $0 } }

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
        while !Task.isCancelled {
            guard let start = await readCursor(source) else { return }
            var state = FollowerState(source: source, cursor: start.cursor, now: uptime(), opening: Self.opening)
            guard await drive(&state, ring) != nil else { return }
        }
    }

    /// Waits while the source is quarantined or the store cannot be read; `nil` when canceled.
    private func readCursor(_ source: Source) async -> (cursor: LogCursor?, Void)? {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                guard let halt = try await follower.halt(of: source) else {
                    return (try await follower.cursor(for: source), ())
                }
                if halt.isReleased, try await land(source) { continue }
                pause = Self.releasePoll
            } catch {
                logger.error(
                    "the cursor cannot be read; trying again",
                    metadata: ["source": "\(source)", "error": "\(error)"])
                pause = min(pause * 2, .seconds(5))
            }
            try? await Task.sleep(for: pause)
        }
        return nil
    }

    /// Goes on where the owner's log is by now; `false` while the owner cannot be asked.
    private func land(_ source: Source) async throws -> Bool {
        guard let head = try? await bus.head(of: source) else { return false }
        let landing = Landing(of: source, from: try await follower.cursor(for: source), on: head)
        try await follower.goOn(landing)
        logger.notice("\(landing.note)", metadata: ["source": "\(source)"])
        return true
    }

    /// Returns the fork that ended it, or `nil` when canceled.
    private func drive(_ state: inout FollowerState, _ ring: FeedRing) async -> Fork? {
        var silence = SilenceWatch(since: .now)
        var wasLoading = false
        while !Task.isCancelled {
            take(ring.take(FollowerState.batch), into: &state)
            behind.withLock { $0[state.source] = state.behind }
            switch state.next(now: uptime()) {
            case .apply(let records):
                async let stopped = apply(records)
                let requests = state.ahead(now: uptime())
                let answers = await fetch(requests, from: state.source)
                if let fork = await stopped { return fork }
                for (request, answer) in zip(requests, answers) {
                    if request == requests.first {
                        state.fetched(answer, now: uptime(), jitter: Self.jitter())
                    } else {
                        state.fetched(answer, of: request, now: uptime(), jitter: Self.jitter())
                    }
                }
            case .fetch(let request):
                let answer = await fetch(request, from: state.source)
                state.fetched(answer, now: uptime(), jitter: Self.jitter())
                if state.isLoading, !wasLoading { tellOfLoading(state) }
                wasLoading = state.isLoading
            case .load(let request):
                let answer = await load(request, from: state.source)
                state.loaded(answer, now: uptime(), jitter: Self.jitter())
                wasLoading = state.isLoading
            case .take(let part):
                if let fork = await untilApplied(of: state.source, { try await self.follower.apply(part) }) {
                    return fork
                }
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

    /// All at once; the answers in the order of the requests.
    private func fetch(_ requests: [FetchRequest], from source: Source) async -> [FetchAnswer] {
        await withTaskGroup(of: (Int, FetchAnswer).self) { group in
            for (place, request) in requests.enumerated() {
                group.addTask { (place, await self.fetch(request, from: source)) }
            }
            var answers: [Int: FetchAnswer] = [:]
            for await (place, answer) in group { answers[place] = answer }
            return requests.indices.map { answers[$0] ?? .failed("no answer") }
        }
    }

    private func fetch(_ request: FetchRequest, from source: Source) async -> FetchAnswer {
        do {
            return FetchAnswer(try await bus.fetch(request, from: source, timeout: .seconds(5)), of: source)
        } catch {
            return .failed("\(error)")
        }
    }

    private func load(_ request: SnapshotRequest, from source: Source) async -> SnapshotAnswer {
        do {
            let params = try Wire.tree(request)
            let reply = try await bus.request("snapshot", to: source.name, params: params, timeout: .seconds(10))
            return SnapshotAnswer(reply, of: source)
        } catch {
            return .failed("\(error)")
        }
    }

    private func apply(_ batch: [LogRecord]) async -> Fork? {
        guard let last = batch.last else { return nil }
        var isAgain = false
        return await untilApplied(of: last.source) {
            var records = batch[...]
            // It may have been committed although it was reported as failed.
            if isAgain, let cursor = try await self.follower.cursor(for: last.source) {
                records = records.drop { $0.place <= cursor.place }
            }
            isAgain = true
            if !records.isEmpty { try await self.follower.apply(Array(records)) }
        }
    }

    /// Tries however often it takes: the place in the log is not lost when the disk is full.
    private func untilApplied(of source: Source, _ body: () async throws -> Void) async -> Fork? {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                try await body()
                return nil
            } catch let fork as Fork {
                await quarantine(fork)
                return fork
            } catch {
                if Task.isCancelled { return nil }
                logger.error(
                    "events cannot be applied; trying again", metadata: ["source": "\(source)", "error": "\(error)"])
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
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

    private func tellOfLoading(_ state: FollowerState) {
        logger.notice(
            "the next events of a log are gone at its owner; what they came to is taken from its snapshot",
            metadata: ["source": "\(state.source)", "after": "\(state.cursor?.seq ?? 0)"])
    }
}
