import GRDB
import Messages
import ProjectFile
import ServiceKit
import Store

/// Takes what happened into one transaction: loads what it concerns, lets the domain decide, stores and publishes.
struct Dispatcher: Sendable {
    let settings: Settings
    let projects: ProjectCache
    let board: OfferBoard
    /// Rings when there are other schedules or events that wait for others, or one of them is due.
    let alarm: WakeSignal
    let countdowns: CountdownBoard
    /// `nil`: nobody keeps any.
    let variables: OperatorVariables?
    /// For figures.
    let tell: @Sendable (DispatchNews) -> Void

    init(
        settings: Settings = Settings(), projects: ProjectCache = ProjectCache(), board: OfferBoard = OfferBoard(),
        alarm: WakeSignal = WakeSignal(), countdowns: CountdownBoard = CountdownBoard(),
        variables: OperatorVariables? = nil,
        tell: @escaping @Sendable (DispatchNews) -> Void = { _ in }
    ) {
        self.settings = settings
        self.projects = projects
        self.board = board
        self.alarm = alarm
        self.countdowns = countdowns
        self.variables = variables
        self.tell = tell
    }

    /// Moves one run and publishes what changed; `nil` when there is no such run, or it could not be read and is over.
    @discardableResult
    func move<Value>(
        _ id: String, _ transaction: Transaction, _ body: (inout RunMachine) throws -> Value
    ) throws -> Value? {
        guard let (stored, loaded) = try load(id, transaction) else { return nil }
        var machine = loaded
        let value = try body(&machine)
        try settle(machine, from: stored, transaction)
        return value
    }

    private func load(_ id: String, _ transaction: Transaction) throws -> (StoredRun, RunMachine)? {
        do {
            guard let stored = try transaction.run(id) else { return nil }
            let plan = try plan(of: stored.run, transaction)
            let machine = RunMachine(
                stored.run, plan, now: transaction.now, champions: try champions(for: stored.run, plan, transaction),
                newID: transaction.newID)
            return (stored, machine)
        } catch let error where error is Refusal || error is DecodingError {
            try abandon(id, because: error, transaction)
            return nil
        }
    }

    /// What a run goes by: the file it began with, whatever was pushed since.
    func plan(of run: Run, _ transaction: Transaction) throws -> RunPlan {
        if let known = projects.plan(run.id) { return known }
        let repository = run.facts.git?.repository ?? run.facts.project
        switch try projects.project(run.facts.fileDigest, repository: repository, taken: true, in: transaction) {
        case .success(let project):
            let plan = try RunPlan(project, pipeline: run.facts.pipeline, in: run.facts.scope(in:))
            guard plan.fits(run) else {
                throw Refusal("this version of Martlet reads other jobs in its project file than the one that began it")
            }
            projects.keep(plan, of: run.id)
            return plan
        case .failure(let errors): throw Refusal("the project file of run \(run.id) cannot be read any more: \(errors)")
        }
    }

    /// Only where a job asks whether it is still the same.
    private func champions(
        for run: Run, _ plan: RunPlan, _ transaction: Transaction
    ) throws -> [ChampionKey: String] {
        var known: [ChampionKey: String] = [:]
        let models = run.facts.champions?.keys.sorted() ?? [run.facts.model].compactMap(\.self)
        for job in plan.jobs.indices where plan[job].recheck != nil {
            for model in models {
                guard let key = run.facts.champion(of: model, compared: plan.comparedSelector(of: job)),
                    known[key] == nil, let selector = Selector(key.selector)
                else { continue }
                known[key] = try transaction.champion(of: model, selector)
            }
        }
        return known
    }

    /// Stores and publishes what changed, then does what follows from it.
    private func settle(_ machine: RunMachine, from stored: StoredRun, _ transaction: Transaction) throws {
        if machine.changes.isEmpty, machine.run == stored.run { return }
        try following(transaction) { try settle(machine, from: stored, $0, transaction) }
    }

    /// Does `body`, then what is left to do after it.
    ///
    /// What follows may move runs that lead here again: a step that starts a pipeline ends, and the next one starts
    /// another. Those only add to what is left to do, so that the stack does not grow with the length of such a chain.
    func following(_ transaction: Transaction, _ body: (LeftToDo) throws -> Void) throws {
        if let left = Self.leftToDo { return try body(left) }
        let left = LeftToDo()
        try Self.$leftToDo.withValue(left) {
            try body(left)
            while let next = left.next() {
                switch next {
                case .begin(let place, let run): try begin(place, of: run, transaction)
                case .followUp(let finished, let run): try followUp(finished, run, transaction)
                }
            }
        }
    }

    @TaskLocal private static var leftToDo: LeftToDo?

    private func settle(
        _ machine: RunMachine, from stored: StoredRun, _ left: LeftToDo, _ transaction: Transaction
    ) throws {
        try transaction.update(machine.run, from: stored.run)
        var offered: Set<String> = []
        var finished: Envelope?
        for change in machine.changes {
            if let envelope = try publish(change, machine, transaction) { finished = envelope }
            if case .offered(let place) = change, machine.run[place].verb != PipelineStart.verb {
                offered.insert(machine.run[place].verb)
            }
        }
        if !offered.isEmpty { wakeClaims(offered, transaction) }
        try workOwn(machine, left, transaction)
        if let finished {
            left.add(.followUp(finished, machine.run))
        } else if machine.run.isParked, stored.run.status.phase == .running, !stored.run.isParked {
            // It needs no worker for a while: there is room for another.
            try admit(transaction)
        }
    }

    /// Steps that this service does itself, after everything that led to them was told.
    private func workOwn(_ machine: RunMachine, _ left: LeftToDo, _ transaction: Transaction) throws {
        func own(_ place: StepPlace) -> Bool { machine.run[place].verb == PipelineStart.verb }
        for change in machine.changes {
            switch change {
            case .offered(let place) where own(place): left.add(.begin(place, of: machine.run.id))
            case .cancelRequested(let place, let reason) where own(place):
                try stopStarts([place], of: machine.run, reason: reason, transaction)
            default: break
            }
        }
    }

    /// Whoever waits for such steps looks again once they can be seen.
    private func wakeClaims(_ verbs: Set<String>, _ transaction: Transaction) {
        let board = board
        transaction.db.afterNextTransaction { _ in board.offer(verbs) }
    }

    /// A run ended: pipelines that wait for it begin, and there is room for another.
    private func followUp(_ envelope: Envelope, _ run: Run, _ transaction: Transaction) throws {
        if let finished = try envelope.body(RunFinished.self) {
            let heads = try (transaction.run(run.id)?.heads ?? []).merging([transaction.head()])
            try take(Cause(finished, envelope, of: run, heads: heads), transaction)
            try startedEnded(run, transaction)
        }
        try admit(transaction)
    }

    @TaskLocal private static var isAdmitting = false

    /// Starts queued runs, in order, as long as there is room.
    func admit(_ transaction: Transaction) throws {
        // A run that starts may end or park at once and lead here again: the loop below goes on anyway, and the stack
        // does not grow with the queue.
        if Self.isAdmitting { return }
        try Self.$isAdmitting.withValue(true) { try admitAll(transaction) }
    }

    private func admitAll(_ transaction: Transaction) throws {
        while try transaction.busyCount() < settings.runsAtOnce, let id = try transaction.nextToStart() {
            try move(id, transaction) { $0.start(snapshot: $0.run.status.snapshot) }
        }
    }
}

extension [LogPosition] {
    /// The farther of both for each log.
    func merging(_ others: [LogPosition]) -> [LogPosition] {
        var known = Dictionary(map { ($0.source, $0) }, uniquingKeysWith: { $1 })
        for other in others {
            if let old = known[other.source], (old.epoch, old.seq) >= (other.epoch, other.seq) { continue }
            known[other.source] = other
        }
        return known.values.sorted { $0.source.name < $1.source.name }
    }
}
