import Messages
import ProjectFile

/// Moves a run: each method is one thing that happened; `changes` is what follows from it.
///
/// No clock, no chance, no file: time, names and what else has to be known are handed in.
struct RunMachine {
    var run: Run
    let plan: RunPlan
    let now: Timestamp
    /// The versions to beat as they are now, empty where there is none; those that nobody knows are not in it.
    let champions: [ChampionKey: String]
    let newID: () -> String
    var changes: [RunChange] = []

    init(
        _ run: Run, _ plan: RunPlan, now: Timestamp, champions: [ChampionKey: String] = [:],
        newID: @escaping () -> String
    ) {
        self.run = run
        self.plan = plan
        self.now = now
        self.champions = champions
        self.newID = newID
    }

    mutating func start(snapshot: Digest?) {
        guard run.status.phase == .queued else { return }
        run.status.phase = .running
        run.status.snapshot = snapshot
        run.status.started = now
        changes.append(.runStarted)
        advance()
    }

    /// Begins every job whose turn has come, and ends the run after the last one.
    mutating func advance() {
        guard run.status.phase == .running else { return }
        var moved = true
        while moved {
            moved = false
            for job in run.jobs.indices where run.jobs[job].status.phase == .waiting {
                if consider(job) { moved = true }
            }
        }
        if run.jobs.allSatisfy({ $0.status.phase == .finished }) { finishRun() }
    }

    /// Whether the job's turn has come.
    private mutating func consider(_ job: Int) -> Bool {
        guard plan.needs(of: job).allSatisfy({ run.jobs[$0].status.phase == .finished }), hasRoom(job) else {
            return false
        }
        do {
            guard try plan[job].condition.holds(in: scope(before: job)) else {
                finishJob(job, .skipped, message: nil)
                return true
            }
            try open(job)
        } catch {
            finishJob(job, .failed, message: "job '\(run.jobs[job].id)': \(error)")
        }
        return true
    }

    /// A matrix may say how many of its cells go at once.
    private func hasRoom(_ job: Int) -> Bool {
        guard let most = plan[job].matrix?.maxParallel else { return true }
        let busy = plan.cells(like: job).count { [.running, .approval].contains(run.jobs[$0].status.phase) }
        return busy < most
    }

    /// Past its condition: what must still hold is looked at, then people are asked, then it begins.
    private mutating func open(_ job: Int) throws(EvaluationError) {
        if let environment = plan.environment(of: job), !(try environment.isEnabled(in: scope(before: job))) {
            run.jobs[job].status.passedOver = true
            finishJob(
                job, .skipped,
                message: "job '\(run.jobs[job].id)' was passed over: its environment '\(environment.name)' is disabled")
            return
        }
        if let reason = try staleness(of: job) {
            finishJob(job, .notPromoted, message: reason)
            return
        }
        guard let environment = plan.environment(of: job), let approvals = environment.approvals,
            approvals.required > 0
        else {
            begin(job)
            return
        }
        let approval = wanted(approvals, in: environment.name, for: job)
        run.jobs[job].status.phase = .approval
        run.jobs[job].status.approval = approval.id
        changes.append(.approvalWanted(approval))
    }

    /// Its first step is offered. It starts, and its time runs, when a worker takes one: waiting for a free worker is not
    /// the job's own slowness.
    mutating func begin(_ job: Int) {
        run.jobs[job].status.phase = .running
        nextStep(job)
    }

    /// Offers the next step of a job, passing over those whose condition does not hold.
    mutating func nextStep(_ job: Int) {
        while let step = run.jobs[job].steps.firstIndex(where: { $0.status.phase != .finished }) {
            let place = StepPlace(job: job, step: step)
            guard run[place].status.phase == .waiting else { return }
            if run.status.canceling != nil {
                finishStep(place, StepResult(.canceled))
            } else if run.jobs[job].status.isStopped {
                finishStep(place, StepResult(.skipped))
            } else if offer(place) {
                return
            }
        }
        closeJob(job)
    }

    /// `false`: it is over without a worker.
    private mutating func offer(_ place: StepPlace) -> Bool {
        let step = plan[place.job].steps[place.step]
        do {
            let scope = try scope(in: place.job)
            guard try step.condition.holds(in: scope) else {
                finishStep(place, StepResult(.skipped))
                return false
            }
            if let reason = NotYet.reason(verb: step.verb) {
                finishStep(place, StepResult(.failed, message: reason))
                return false
            }
            let offer = try makeOffer(step, place, scope)
            try StepRoom.check(offer)
            run[place].status.offer = offer
            run[place].status.phase = .offered
            changes.append(.offered(place))
            return true
        } catch {
            finishStep(place, StepResult(.failed, message: "\(error)"))
            return false
        }
    }

    mutating func finishStep(_ place: StepPlace, _ result: StepResult) {
        changes.append(.stepFinished(place, attempt(place, result)))
        var status = run[place].status
        status.phase = .finished
        status.outcome = result.outcome
        status.outputs = result.outputs
        status.message = result.message?.shortened()
        status.log = result.log
        status.lease = nil
        status.canceling = false
        status.tolerated = result.outcome == .failed && plan[place.job].steps[place.step].continueOnError
        run[place].status = status
    }

    func attempt(_ place: StepPlace, _ result: StepResult) -> FinishedAttempt {
        let status = run[place].status
        return FinishedAttempt(
            attempt: status.attempt, outcome: result.outcome, message: result.message?.shortened(),
            outputs: result.outputs, log: result.log, seconds: status.started.map { now.seconds(since: $0) },
            wasToStop: status.canceling)
    }
}

extension Timestamp {
    func seconds(since other: Timestamp) -> Double { Double(milliseconds - other.milliseconds) / 1000 }
}
