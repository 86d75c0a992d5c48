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
    package private(set) var cursor: LogCursor?
    /// Far behind: live bodies are thrown away, the owner is asked for everything.
    package private(set) var isCatchingUp = false
    package private(set) var fork: Fork?

    /// The highest seq of the cursor's epoch that anybody has spoken of.
    private var known: Int64 = 0
    private var held: [Int64: LogRecord] = [:]
    private var heldSize = 0
    private var ready: [LogRecord] = []
    private var fetchAt: Duration?
    /// The fetch is needed even when live messages close the gap.
    private var mustFetch = true
    private var isFetching = false
    /// The place the outstanding fetch asked for: later live messages must not look like a contradiction.
    private var asked: FetchRequest?
    /// The last answer had as many records as were asked for, so the next place to ask from can be told in advance.
    private var wasFull = false
    private var failures = 0
    /// The next records are gone at the owner; what they came to is loaded.
    private var loading: Loading?
    private var part: SnapshotPart?

    private struct Loading: Sendable, Equatable {
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

    private mutating func beginFetch() -> FetchRequest {
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

    private mutating func hold(_ record: LogRecord, now: Duration, jitter: Duration) {
        guard fork == nil else { return }
        if isCatchingUp || isLoading { return }
        if cursor != nil, behind > Self.farBehind { return missSomething(now: now, jitter: jitter) }
        guard held.count < Self.heldRecords, heldSize + record.body.count <= Self.heldBytes else {
            return require(now + jitter)
        }
        if held.updateValue(record, forKey: record.seq) == nil { heldSize += record.body.count }
        missSomething(now: now, jitter: jitter)
    }

    private mutating func missSomething(now: Duration, jitter: Duration) {
        guard !isFetching, cursor != nil else { return }
        if behind > Self.farBehind {
            isCatchingUp = true
            dropHeld()
        }
        if fetchAt == nil { fetchAt = now + (isCatchingUp ? .zero : Self.patience) + jitter }
    }

    private mutating func require(_ time: Duration) {
        guard fork == nil else { return }
        mustFetch = true
        plan(time)
    }

    private mutating func plan(_ time: Duration) {
        fetchAt = min(fetchAt ?? time, time)
    }
}

// MARK: - What the owner answers

extension FollowerState {
    package mutating func fetched(_ answer: FetchAnswer, now: Duration, jitter: Duration) {
        isFetching = false
        switch answer {
        case .failed: retry(now: now, jitter: jitter)
        case .compacted(let head): compacted(head, now: now, jitter: jitter)
        case .records(let records, let head):
            failures = 0
            // What came up while the answer was on its way (another epoch, an overflow) still has to be asked.
            if fetchAt == nil { mustFetch = false }
            take(records, head: head, now: now, jitter: jitter)
        }
    }

    /// The answer to a further request of ``ahead(now:)``: of no use unless the answer before it reached to its place.
    package mutating func fetched(_ answer: FetchAnswer, of request: FetchRequest, now: Duration, jitter: Duration) {
        guard fork == nil, !isLoading, case .records = answer, let cursor,
            LogPlace(epoch: cursor.epoch, seq: cursor.seq) == LogPlace(epoch: request.epoch, seq: request.after)
        else { return }
        asked = request
        fetched(answer, now: now, jitter: jitter)
    }

    private mutating func compacted(_ head: LogHead, now: Duration, jitter: Duration) {
        if let cursor {
            switch head.relation(to: cursor) {
            case .within where cursor.place < head.base.place: break
            case .crossing where cursor.place < head.base.place: break
            case .contradicted(let end): return contradict(cursor, end, head)
            case .unknown: return contradict(cursor, nil, head)
            // Not deleted at all, by the owner's own word.
            case .within, .crossing: return retry(now: now, jitter: jitter)
            }
        }
        loading = Loading()
        dropHeld()
        require(now + jitter)
    }

    package mutating func loaded(_ answer: SnapshotAnswer, now: Duration, jitter: Duration) {
        isFetching = false
        guard loading != nil else { return }
        switch answer {
        case .failed: retry(now: now, jitter: jitter)
        case .movedOn:
            loading = Loading()
            retry(now: now, jitter: jitter)
        case .part(let part, let head): take(part, head, now: now)
        }
    }

    private mutating func take(_ part: SnapshotPart, _ head: LogHead, now: Duration) {
        failures = 0
        if let cursor {
            switch head.relation(to: cursor) {
            case .within, .crossing: break
            case .contradicted(let end): return contradict(cursor, end, head)
            case .unknown: return contradict(cursor, nil, head)
            }
        }
        self.part = part
        if part.isLast {
            loading = nil
            cursor = part.at
            known = part.at.seq
        } else {
            loading = Loading(at: part.at.place, after: part.records.last?.place)
        }
        require(now)
    }

    private mutating func retry(now: Duration, jitter: Duration) {
        failures += 1
        let pause = min(Duration.seconds(2), .milliseconds(50) * (1 << min(failures, 6)))
        mustFetch = true
        plan(now + pause + jitter)
    }

    private mutating func take(_ records: [LogRecord], head: LogHead, now: Duration, jitter: Duration) {
        let before = cursor
        wasFull = asked.map { records.count == $0.limit } ?? false
        if before == nil { begin(head) }
        for record in records where fork == nil {
            guard let cursor, record.epoch == cursor.epoch else { return retry(now: now, jitter: jitter) }
            if record.seq <= cursor.seq { continue }
            guard record.seq == cursor.seq + 1 else { return retry(now: now, jitter: jitter) }
            accept(record)
        }
        guard fork == nil else { return }
        compare(with: head)
        goOn(progress: cursor != before, head: head, now: now, jitter: jitter)
    }

    /// A log that was never read.
    private mutating func begin(_ head: LogHead) {
        cursor = head.beginning
        for (seq, record) in held where record.epoch != head.beginning.epoch {
            held[seq] = nil
            heldSize -= record.body.count
        }
    }

    /// Whether the owner's log has the place reached here; where an epoch ended there, it goes on with the next.
    private mutating func compare(with head: LogHead) {
        if let asked, asked.epoch == head.epoch, asked.after > head.last {
            return refuse(
                asked.after, expected: "a log that ends at \(asked.after) or later",
                found: "one that ends at \(head.last)")
        }
        var crossed = false
        while let cursor {
            // Records heard while the answer was on its way may already be past the head that it tells of.
            if cursor.epoch == head.epoch, cursor.seq > head.last { break }
            switch head.relation(to: cursor) {
            case .within: break
            case .crossing(let start):
                self.cursor = start
                crossed = true
                continue
            case .contradicted(let end): return contradict(cursor, end, head)
            case .unknown: return contradict(cursor, nil, head)
            }
            break
        }
        if crossed {
            dropHeld()
            known = 0
        }
        guard let cursor else { return }
        // The owner knows best; of what it does not know yet, the held records remind.
        known = max(head.end(of: cursor.epoch)?.seq ?? 0, cursor.seq, held.keys.max() ?? 0)
        acceptHeld()
    }

    private mutating func contradict(_ cursor: LogCursor, _ end: LogCursor?, _ head: LogHead) {
        guard let end else {
            let parent = head.parent.map { "goes on from \($0.text)" } ?? "has no parent"
            return refuse(
                cursor.seq, expected: "epoch \(cursor.epoch)", found: "epoch \(head.epoch), which \(parent)")
        }
        if cursor.seq > end.seq {
            return refuse(
                cursor.seq, expected: "a log that goes on from \(cursor.seq) or later",
                found: "one that ended at \(end.seq)")
        }
        refuse(cursor.seq, expected: cursor.chain.hex, found: end.chain.hex)
    }

    private mutating func goOn(progress: Bool, head: LogHead, now: Duration, jitter: Duration) {
        guard fork == nil, let cursor else { return }
        isCatchingUp = isCatchingUp ? behind > Self.nearlyThere : behind > Self.farBehind
        if isCatchingUp { dropHeld() }
        if cursor.epoch < head.epoch || head.last > cursor.seq {
            guard progress else { return retry(now: now, jitter: jitter) }
            mustFetch = true
            plan(now)
        } else if behind > 0, fetchAt == nil {
            plan(now + Self.patience + jitter)
        } else {
            settle()
        }
    }
}

// MARK: - Accepting

extension FollowerState {
    private mutating func accept(_ record: LogRecord) {
        guard let cursor else { return }
        guard record.prev == cursor.chain || cursor.chain == .unknown else {
            return refuse(record.seq, expected: cursor.chain.hex, found: record.prev.hex)
        }
        ready.append(record)
        self.cursor = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
        known = max(known, record.seq)
    }

    private mutating func acceptHeld() {
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
    private mutating func settle() {
        if behind == 0, !mustFetch { fetchAt = nil }
    }

    private mutating func dropHeld() {
        held.removeAll(keepingCapacity: true)
        heldSize = 0
    }

    private mutating func refuse(_ seq: Int64, expected: String, found: String) {
        guard fork == nil else { return }
        fork = Fork(source: source, epoch: cursor?.epoch ?? 0, seq: seq, expected: expected, found: found)
        fetchAt = nil
        loading = nil
        dropHeld()
    }
}
