import Messages
import Store

extension Dispatcher {
    /// Opens a session. The same worker's older one ends at once: it is the same worker, restarted.
    /// - Returns: the older session's id.
    func open(_ session: Session, labels: JSONValue, _ transaction: Transaction) throws -> String? {
        let older = try transaction.session(ofWorker: session.worker)
        if let older { try end(older.id, comesBack: true, transaction) }
        try transaction.insert(session, labels: labels)
        return older?.id
    }

    /// Gives a session's steps back; whoever claims one gets the last checkpoint.
    func end(_ session: String, comesBack: Bool, _ transaction: Transaction) throws {
        for run in try transaction.runs(heldBy: session) {
            try move(run, transaction) { $0.release(session: session, comesBack: comesBack) }
        }
        try transaction.deleteSession(session)
    }

    /// Grants offered steps, each with a token larger than any before: as many as one answer can carry.
    func grant(_ session: Session, most: Int, _ transaction: Transaction) throws -> [StepWork] {
        let free = min(most, session.slots - (try transaction.heldCount(session.id)))
        guard free > 0 else { return [] }
        var granted: [StepWork] = []
        var bytes = 0
        for offer in try SessionQueries.offered(session.verbs, limit: free, in: transaction.db) {
            // Those that are left are for the next claim.
            guard bytes < StepRoom.claim else { break }
            guard
                let (stored, started) = try take(
                    offer, session: session.id, worker: session.worker, transaction),
                let token = stored.run[offer.place].status.lease?.token
            else { continue }
            if let since = offer.since {
                let verb = stored.run[offer.place].verb
                tell(.taken(verb: verb, after: .milliseconds(max(0, transaction.now.milliseconds - since))))
            }
            let work = stored.run.work(offer.place, token: token, after: stored.heads, because: started.consequence)
            guard let work else { continue }
            granted.append(work)
            // With all that stands around it: of many small steps that is the most.
            bytes += min(EventRoom.bytes(work), StepRoom.claim)
        }
        return granted
    }

    /// One offered step for one worker, with the event that says so; `nil` when it is not offered any more.
    func take(
        _ offer: OfferedStep, session: String, worker: String, _ transaction: Transaction
    ) throws -> (StoredRun, Envelope)? {
        let lease = StepLease(session: session, worker: worker, token: try transaction.nextToken())
        guard try move(offer.run, transaction, { $0.take(offer.place, lease) }) != nil,
            let stored = try transaction.run(offer.run), stored.run[offer.place].status.lease == lease
        else { return nil }
        let step = stored.run[offer.place]
        let started = try say(
            StepStarted(
                run: stored.run.id, job: stored.run.jobs[offer.place.job].id, step: step.id,
                attempt: step.status.attempt, verb: step.verb, worker: worker, token: lease.token),
            stored.run, transaction)
        return (stored, started)
    }

    /// A worker says what came of a step.
    func complete(
        _ completion: CompleteParams, by owner: WorkerOwner, _ transaction: Transaction
    ) throws -> RunMachine.Acceptance {
        let run = Run.id(ofItem: completion.item)
        // Before the run moves: the step after this one must wait for what this one published.
        guard let stored = try readable(run, transaction), isTheirs(completion.item, stored.run, owner) else {
            return .lost
        }
        let before = stored.heads
        try reached(completion.head ?? [], run: run, transaction)
        let acceptance = try move(run, transaction) {
            $0.complete(completion.item, token: completion.token, completion.result)
        }
        if acceptance != .accepted, !before.isEmpty { try transaction.setHeads(before, of: run) }
        return acceptance ?? .lost
    }

    /// Tells people that a step waits for a worker that does not exist.
    func tellUnserved(_ offer: OfferedStep, _ transaction: Transaction) throws {
        guard try move(offer.run, transaction, { _ in }) != nil, let stored = try transaction.run(offer.run),
            stored.run[offer.place].status.phase == .offered
        else { return }
        let step = stored.run[offer.place]
        try say(
            StepUnserved(
                run: stored.run.id, job: stored.run.jobs[offer.place.job].id, step: step.id, verb: step.verb,
                reason: Self.nobody(step.verb)), stored.run, transaction)
    }

    func giveUp(_ offer: OfferedStep, after patience: Duration, _ transaction: Transaction) throws {
        try move(offer.run, transaction) { machine in
            let verb = machine.run[offer.place].verb
            machine.giveUp(
                offer.place, reason: "\(Self.nobody(verb)); given up after \(patience.components.seconds) s")
        }
    }

    private static func nobody(_ verb: String) -> String {
        "no worker serves '\(verb)': start one that opens a session for it, or correct 'uses:'"
    }

    func checkpoint(
        _ item: String, token: Int64, _ state: JSONValue, by owner: WorkerOwner, _ transaction: Transaction
    ) throws -> Bool {
        let run = Run.id(ofItem: item)
        guard let stored = try readable(run, transaction), isTheirs(item, stored.run, owner) else { return false }
        return try move(run, transaction) { $0.checkpoint(item, token: token, state) } == .accepted
    }

    /// Tokens are told with `step.started`, so the token alone proves nothing.
    private func isTheirs(_ item: String, _ run: Run, _ owner: WorkerOwner) -> Bool {
        guard let place = run.place(of: item), let lease = run[place].status.lease else { return true }
        return owner.owns(lease.worker)
    }
}
