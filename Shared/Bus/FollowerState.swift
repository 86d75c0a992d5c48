import EventLog
import Foundation
import Messages

/// What one follower knows of one log, and what it has to do next (bus.md 5).
///
/// Pure: times are durations since any fixed moment, chance comes as `jitter`, and ``next(now:)`` says what to carry out.
/// A record counts as accepted as soon as `next` has handed it out; whoever carries that out applies it or stops.
package struct FollowerState: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        /// Commit these with their cursor.
        case apply([LogRecord])
        /// Ask the owner; answer with ``fetched(_:now:jitter:)``.
        case fetch(FetchRequest)
        /// Ask the owner for what is left of deleted records; answer with ``loaded(_:now:jitter:)``.
        case load(SnapshotRequest)
        /// Apply those that were not applied before; the last part moves the cursor to its place.
        case take(SnapshotPart)
        case quarantine(Fork)
        /// Nothing to do before something arrives or this time comes.
        case wait(until: Duration?)
    }

    package static let heldRecords = 512
    package static let heldBytes = 4 * 1024 * 1024
    package static let patience = Duration.milliseconds(250)
    package static let farBehind: Int64 = 1000
    package static let nearlyThere: Int64 = 64
    /// Records of one commit: two answers, as far behind two are on their way.
    package static let batch = 2 * BusLimits.fetchRecords

    package let source: Source
    /// The last record accepted; `nil` until the log's owner has said how it begins.
    package internal(set) var cursor: LogCursor?
    /// Far behind: live bodies are thrown away, the owner is asked for everything.
    package internal(set) var isCatchingUp = false
    package internal(set) var fork: Fork?

    /// The highest seq of the cursor's epoch that anybody has spoken of.
    var known: Int64 = 0
    var held: [Int64: LogRecord] = [:]
    var heldSize = 0
    var ready: [LogRecord] = []
    var fetchAt: Duration?
    /// The fetch is needed even when live messages close the gap.
    var mustFetch = true
    var isFetching = false
    /// The place the outstanding fetch asked for: later live messages must not look like a contradiction.
    var asked: FetchRequest?
    /// The last answer had as many records as were asked for, so the next place to ask from can be told in advance.
    var wasFull = false
    var failures = 0
    /// The next records are gone at the owner; what they came to is loaded.
    var loading: Loading?
    var part: SnapshotPart?

    struct Loading: Sendable, Equatable {
        var at: LogPlace?
        var after: LogPlace?
    }

    /// - Parameter opening: how long the first fetch may wait for ``established(now:)``.
    package init(source: Source, cursor: LogCursor?, now: Duration, opening: Duration = .zero) {
        self.source = source
        self.cursor = cursor
        known = cursor?.seq ?? 0
        fetchAt = now + opening
    }

    /// How many records are known to be missing.
    package var behind: Int64 { max(0, known - (cursor?.seq ?? 0)) }
    /// Everything known of has been accepted.
    package var isLive: Bool { cursor != nil && behind == 0 && fetchAt == nil && !isFetching && fork == nil }
    /// The next records are gone at the owner: what they came to is being loaded instead.
    package var isLoading: Bool { loading != nil || part != nil }

    package mutating func next(now: Duration) -> Step {
        if !ready.isEmpty {
            let records = Array(ready.prefix(Self.batch))
            ready.removeFirst(records.count)
            return .apply(records)
        }
        if let part {
            self.part = nil
            return .take(part)
        }
        if let fork { return .quarantine(fork) }
        guard !isFetching, let fetchAt else { return .wait(until: nil) }
        guard fetchAt <= now else { return .wait(until: fetchAt) }
        if let loading {
            isFetching = true
            self.fetchAt = nil
            return .load(SnapshotRequest(at: loading.at, after: loading.after))
        }
        return .fetch(beginFetch())
    }

    /// What may be asked for, all at once, while the records that `next` handed out are committed. The first is answered
    /// with ``fetched(_:now:jitter:)``, a further one afterwards with ``fetched(_:of:now:jitter:)``.
    ///
    /// Only far behind, and never more than two: each passes five processes and threads one after another, so one alone
    /// would leave most of them idle.
    package mutating func ahead(now: Duration) -> [FetchRequest] {
        guard isCatchingUp, !isLoading, ready.isEmpty, fork == nil, !isFetching, let fetchAt, fetchAt <= now else {
            return []
        }
        let first = beginFetch()
        guard wasFull, behind > Int64(first.limit) else { return [first] }
        return [first, FetchRequest(epoch: first.epoch, after: first.after + Int64(first.limit))]
    }

    mutating func beginFetch() -> FetchRequest {
        isFetching = true
        fetchAt = nil
        let request = FetchRequest(epoch: cursor?.epoch ?? 0, after: cursor?.seq ?? 0)
        asked = request
        return request
    }
}

// MARK: - What is heard on the feed

extension FollowerState {
    /// The subscription is in effect from here on: what a fetch misses now will be heard.
    package mutating func established(now: Duration, jitter: Duration) {
        let isFirst = mustFetch && failures == 0
        mustFetch = true
        plan(now + (isFirst ? .zero : jitter))
    }

    package mutating func received(_ record: LogRecord, now: Duration, jitter: Duration) {
        guard fork == nil, let cursor else { return hold(record, now: now, jitter: jitter) }
        if record.epoch < cursor.epoch { return }
        if record.epoch > cursor.epoch { return require(now + jitter) }
        known = max(known, record.seq)
        if record.seq <= cursor.seq {
            if record.seq == cursor.seq, cursor.chain != .unknown, record.chain != cursor.chain {
                refuse(record.seq, expected: cursor.chain.hex, found: record.chain.hex)
            }
            return
        }
        if record.seq == cursor.seq + 1, !isCatchingUp, !isLoading {
            accept(record)
            acceptHeld()
            return settle()
        }
        hold(record, now: now, jitter: jitter)
    }

    package mutating func heartbeat(epoch: Int64, last: Int64, chain: Chain, now: Duration, jitter: Duration) {
        guard fork == nil else { return }
        // The owner is there: whatever kept the last fetch from working may be over.
        if failures > 0, !isFetching { plan(now + jitter) }
        guard let cursor, epoch >= cursor.epoch else { return }
        if epoch > cursor.epoch { return require(now + jitter) }
        if last > cursor.seq {
            known = max(known, last)
            return missSomething(now: now, jitter: jitter)
        }
        if last == cursor.seq, chain != cursor.chain, cursor.chain != .unknown {
            return refuse(last, expected: cursor.chain.hex, found: chain.hex)
        }
        // A heartbeat may have been overtaken by a fetch, so a head below the cursor is only a reason to ask.
        if last < cursor.seq { require(now) }
    }

    /// Live messages were lost on the way to this follower.
    package mutating func overflowed(now: Duration, jitter: Duration) {
        require(now + jitter)
    }

    mutating func hold(_ record: LogRecord, now: Duration, jitter: Duration) {
        guard fork == nil else { return }
        if isCatchingUp || isLoading { return }
        if cursor != nil, behind > Self.farBehind { return missSomething(now: now, jitter: jitter) }
        guard held.count < Self.heldRecords, heldSize + record.body.count <= Self.heldBytes else {
            return require(now + jitter)
        }
        if held.updateValue(record, forKey: record.seq) == nil { heldSize += record.body.count }
        missSomething(now: now, jitter: jitter)
    }

    mutating func missSomething(now: Duration, jitter: Duration) {
        guard !isFetching, cursor != nil else { return }
        if behind > Self.farBehind {
            isCatchingUp = true
            dropHeld()
        }
        if fetchAt == nil { fetchAt = now + (isCatchingUp ? .zero : Self.patience) + jitter }
    }

    mutating func require(_ time: Duration) {
        guard fork == nil else { return }
        mustFetch = true
        plan(time)
    }

    mutating func plan(_ time: Duration) {
        fetchAt = min(fetchAt ?? time, time)
    }
}

// MARK: - Accepting

extension FollowerState {
    mutating func accept(_ record: LogRecord) {
        guard let cursor else { return }
        guard record.prev == cursor.chain || cursor.chain == .unknown else {
            return refuse(record.seq, expected: cursor.chain.hex, found: record.prev.hex)
        }
        ready.append(record)
        self.cursor = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
        known = max(known, record.seq)
    }

    mutating func acceptHeld() {
        while !held.isEmpty, fork == nil, let cursor, let record = held.removeValue(forKey: cursor.seq + 1) {
            heldSize -= record.body.count
            if record.epoch == cursor.epoch { accept(record) }
        }
        guard let seq = cursor?.seq else { return }
        for (key, record) in held where key <= seq {
            held[key] = nil
            heldSize -= record.body.count
        }
    }

    /// The gap is closed: a fetch planned for it is not needed any more.
    mutating func settle() {
        if behind == 0, !mustFetch { fetchAt = nil }
    }

    mutating func dropHeld() {
        held.removeAll(keepingCapacity: true)
        heldSize = 0
    }

    mutating func refuse(_ seq: Int64, expected: String, found: String) {
        guard fork == nil else { return }
        fork = Fork(source: source, epoch: cursor?.epoch ?? 0, seq: seq, expected: expected, found: found)
        fetchAt = nil
        loading = nil
        dropHeld()
    }
}
