import Messages
import ProjectFile
import Store

/// `pipeline/start` is worked here: the step, the cause and the run that it starts are rows of one transaction, so each
/// attempt of the step starts one run, whatever dies in between.
extension Dispatcher {
    /// A step that was just offered, and is this service's own to do; nothing where it is not offered any more.
    func begin(_ place: StepPlace, of id: String, _ transaction: Transaction) throws {
        guard
            let (stored, started) = try take(
                OfferedStep(run: id, place: place), session: PipelineStart.worker, worker: PipelineStart.worker,
                transaction)
        else { return }
        let run = stored.run
        let offer = run[place].status.offer
        do {
            let start = try PipelineStart(offer?.with ?? .null)
            let git = try commit(for: start, run, transaction)
            if start.waits, let seconds = offer?.timeoutSeconds {
                let due = transaction.now.advanced(by: .seconds(seconds))
                try remind(IntentKind.startTimeout, of: place, run, at: due, transaction)
            }
            try take(Cause(start, item: run.item(place), of: run, started, git: git), transaction)
        } catch let refusal as Refusal {
            let pipeline = offer?.with["pipeline"]?.string ?? ""
            try end(run.item(place), PipelineStart.failure(pipeline, refusal.reason), transaction)
        }
    }

    /// The step's own commit, or the newest of the branch that it names.
    private func commit(
        for start: PipelineStart, _ run: Run, _ transaction: Transaction
    ) throws -> GitReference {
        guard var git = run.facts.git else { throw Refusal("the run has no commit, so there is no project file") }
        guard let branch = start.branch, branch != git.branch else { return git }
        guard let head = try transaction.head(of: git.repository, branch: branch) else {
            throw Refusal("the repository '\(git.repository)' has no branch '\(branch)'")
        }
        git.branch = branch
        git.sha = head
        git.message = ""
        return git
    }

    /// The run is there: the step has succeeded, unless it waits for the run's end.
    func started(_ cause: Cause, _ facts: RunFacts, _ transaction: Transaction) throws {
        guard let item = cause.startingItem, case .started(let start, _) = cause.occasion, !start.waits else { return }
        let message = "run #\(facts.number) of '\(facts.pipeline)' is queued"
        try end(item, StepResult(.succeeded, outputs: PipelineStart.outputs(facts), message: message), transaction)
    }

    /// There will be no run: a failed start is a failed step, with the reason (S4-14).
    func notStarted(_ cause: Cause, _ pipeline: String, _ reason: String, _ transaction: Transaction) throws {
        guard let item = cause.startingItem else { return }
        try end(item, PipelineStart.failure(pipeline, reason), transaction)
    }

    /// The run that a step waits for has ended.
    func startedEnded(_ run: Run, _ transaction: Transaction) throws {
        guard let item = run.facts.startedBy else { return }
        try end(item, PipelineStart.result(of: run), transaction)
    }

    /// The step is to be stopped: what it started and waits for is canceled, and it ends when that has ended.
    func stopStarts(_ places: [StepPlace], of run: Run, reason: String, _ transaction: Transaction) throws {
        for place in places {
            let item = run.item(place)
            if let child = try transaction.run(startedBy: item) {
                try move(child, transaction) {
                    $0.cancel("run #\(run.facts.number) that waits for it stops: \(reason)")
                }
            } else {
                // Its cause is still being read: there must be no run any more.
                try transaction.forgetCause(startedBy: item)
                try end(item, StepResult(.canceled, message: reason), transaction)
            }
        }
    }

    /// It waited longer than its `timeout`.
    func startTimedOut(_ reminder: Reminder, _ transaction: Transaction) throws {
        guard let item = reminder.item, let stored = try readable(reminder.run, transaction),
            let place = stored.run.place(of: item), stored.run[place].status.phase == .held
        else { return }
        let seconds = stored.run[place].status.offer?.timeoutSeconds ?? 0
        let reason = "it took longer than its timeout of \(seconds) s"
        // First its own end: what comes of the canceled run does not count any more.
        try end(item, StepResult(.failed, message: reason), transaction)
        if let child = try transaction.run(startedBy: item) {
            try move(child, transaction) { $0.cancel("step \(item) that waited for it ended: \(reason)") }
        } else {
            try transaction.forgetCause(startedBy: item)
        }
    }

    /// Ends a step of ours, once.
    func end(_ item: String, _ result: StepResult, _ transaction: Transaction) throws {
        try forgetReminder(IntentKind.startTimeout, id: item, transaction)
        let run = Run.id(ofItem: item)
        try move(run, transaction) { machine in
            guard let place = machine.run.place(of: item), let lease = machine.run[place].status.lease else { return }
            _ = machine.complete(item, token: lease.token, result)
        }
    }

    /// A run that waits for one that waits for it would wait for ever.
    func checkCircle(_ cause: Cause, _ group: ConcurrencyGroup, _ transaction: Transaction) throws {
        guard let item = cause.startingItem, case .started(let start, _) = cause.occasion, start.waits else { return }
        var waiting: String? = Run.id(ofItem: item)
        var inGroup: [Int] = []
        while let id = waiting, let run = try readable(id, transaction)?.run {
            if try transaction.group(of: id)?.name == group.name { inGroup.append(run.facts.number) }
            waiting = run.facts.startedBy.map(Run.id(ofItem:))
        }
        guard inGroup.count >= group.most else { return }
        throw NotStarted(
            code: "concurrency",
            reason: "its group '\(group.name)' is taken by run #\(inGroup[0]), which would wait for it (wait: true)")
    }
}
