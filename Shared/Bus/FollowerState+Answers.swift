import EventLog
import Foundation

/// What the owner of the log answers.
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

    /// The answer to a further request of ``ahead(now:)``: of no use unless the answer before it reached to its place. Nor
    /// is one without records: it may have been given before that one, when the log ended earlier.
    package mutating func fetched(_ answer: FetchAnswer, of request: FetchRequest, now: Duration, jitter: Duration) {
        guard fork == nil, !isLoading, case .records(let records, _) = answer, !records.isEmpty, let cursor,
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
