import Artifacts
import Foundation
import GRDB
import Messages
import Processes
import ServiceKit
import Store

/// `evaluate/compare`: champion against challenger by the declared rule; the decision is stored with its event.
struct CompareStep: Sendable {
    let store: StateStore
    let artifacts: ArtifactStore
    let paths: DataPaths
    let own: [String: String]

    static let verb = StepVerb.lasting(["evaluate/compare"]) { work, tools in
        let step = CompareStep(
            store: tools.context.store, artifacts: tools.context.artifacts, paths: tools.context.paths,
            own: ProcessInfo.processInfo.environment)
        return try await step.perform(work)
    }

    /// Another version became champion while files were read or models scored.
    private struct ChampionMoved: Error {}
    private static let mostAttempts = 5

    func perform(_ work: StepWork) async throws -> StepEnding {
        do {
            for _ in 1..<Self.mostAttempts {
                do { return try await attempt(work) } catch is ChampionMoved { continue }
            }
            return try await attempt(work)
        } catch is ChampionMoved {
            return await failed(
                "the champion changed \(Self.mostAttempts) times while both were compared; start the run again", work)
        } catch let refusal as Refusal {
            return await failed(refusal.reason, work)
        } catch let error as ProcessError {
            return await failed(error.description, work)
        } catch let error as ArtifactError {
            return await failed(error.description, work)
        } catch let error as EventTooLarge {
            return await failed("what came of it cannot be told: \(error)", work)
        }
    }

    /// What was scored is of no use any more; its log is, and says why.
    private func failed(_ reason: String, _ work: StepWork) async -> StepEnding {
        let roots = TestFolder.roots(below: work.item, work: paths.work)
        var result = StepResult(.failed, message: reason.shortened())
        if !roots.isEmpty { result.log = try? await artifacts.liveLog(work.item).seal() }
        await endAll(roots)
        return StepEnding(result) { tx in
            try tx.forget(testProcessesBelow: work.item)
            for root in roots { try tx.intend(TestStep.cleaning, id: root, payload: root) }
        }
    }

    private func endAll(_ roots: [String]) async {
        for root in roots { await TestProcess.endAll(in: root) }
    }

    private func attempt(_ work: StepWork) async throws -> StepEnding {
        // The same item again is the same question: it gets the answer that it got, whatever was registered since.
        let asked = try await store.read { db in
            let earlier = try RecordQueries.decision(of: work.item, db)
            return (earlier, earlier == nil ? try Question(work, in: db) : nil)
        }
        if let earlier = asked.0 { return StepEnding(earlier.decision.result(digest: earlier.digest)) }
        guard let question = asked.1 else { throw Refusal("there is nothing to compare") }
        let scoring = Scoring(work: work, store: store, artifacts: artifacts, paths: paths, own: own)
        let evidence = try await Evidence(of: question, scoring: scoring, artifacts: artifacts)
        // An earlier attempt may have left one that scores what is not asked any more.
        if question.input.against != nil { await endAll(TestFolder.roots(below: work.item, work: paths.work)) }
        // A bootstrap takes seconds: neither while everybody else waits to write, nor on a thread that others need.
        let judged = try await FileQueue().run { Result { try question.judge(evidence) } }
        let log = question.input.against == nil ? nil : try await artifacts.liveLog(work.item).seal()
        var result = try await store.write { tx in
            if let earlier = try RecordQueries.decision(of: work.item, tx.db) {
                return earlier.decision.result(digest: earlier.digest)
            }
            // The verdict is about who is champion at this moment (E13), and nobody else decides meanwhile.
            let now = try Question(work, in: tx.db)
            guard now.challenger == question.challenger, now.champion == question.champion else {
                throw ChampionMoved()
            }
            let decision = question.decide(try judged.get(), evidence, bypass: try bypass(of: work, in: tx.db))
            return try commit(decision, work: work, in: tx)
        }
        result.log = log
        return StepEnding(result)
    }

    private func bypass(of work: StepWork, in db: Database) throws -> (bypass: GateBypass, of: Decision)? {
        try RecordQueries.bypass(run: work.run.id, step: "\(work.job)/\(work.step)", db)
    }

    private func commit(_ decision: Decision, work: StepWork, in tx: Transaction) throws -> StepResult {
        let digest = try tx.insert(decision)
        let model = decision.inputs.model
        if decision.winner == .challenger, let selector = decision.inputs.championSelector,
            case .stage(let stage) = VersionSelector(selector)
        {
            try tx.keepStanding(decision, digest: digest, stage: stage)
        }
        try tx.publish(
            decision.event(digest: digest, step: "\(work.job)/\(work.step)", rule: try decision.rule.asJSON()),
            subject: "model/\(model)", key: model,
            because: work.causation.acting(as: "pipeline:\(work.run.pipeline)"))
        guard decision.dataset != nil else { return decision.result(digest: digest) }
        try tx.forget(testProcessesBelow: work.item)
        for root in TestFolder.roots(below: work.item, work: paths.work) {
            try tx.intend(TestStep.cleaning, id: root, payload: root)
        }
        return decision.result(digest: digest)
    }
}

/// A comparison with its two candidates.
struct Question: Hashable, Sendable {
    var input: ComparisonInput
    var item: String
    var run: String
    var challenger: Candidate
    var champion: Candidate?
    /// Where nothing serves that could be compared with (S3-23).
    var emptyEndpoint: String?

    init(_ work: StepWork, in db: Database) throws {
        let declared = try ProjectionQueries.model(try work.modelName(), db)
        input = try ComparisonInput(work, declared: declared)
        item = work.item
        run = work.run.id
        challenger = try Candidates.challenger(input, in: db)
        champion = try Candidates.champion(input, against: challenger, in: db)
        if champion == nil, input.champion == .current {
            emptyEndpoint = try ProjectionQueries.endpoints(of: input.model, db).first ?? input.model
        }
    }

    /// What the numbers of both say, whoever may be champion by the time that it counts.
    struct Judged: Hashable, Sendable {
        var conclusion: Comparison.Conclusion
        /// Of the rule's metric.
        var challenger: Double?
        var champion: Double?
    }

    /// All that takes time.
    func judge(_ evidence: Evidence) throws(Refusal) -> Judged {
        let comparison = Comparison(rule: input.rule, remark: input.remark, seed: evidence.seed)
        return Judged(
            conclusion: try comparison.judge(challenger: evidence.challenger, champion: evidence.champion),
            challenger: evidence.challenger.value(of: input.rule.metric),
            champion: evidence.champion?.value(of: input.rule.metric))
    }

    func decide(
        _ judged: Judged, _ evidence: Evidence, bypass: (bypass: GateBypass, of: Decision)?
    ) -> Decision {
        let rule = input.rule
        var verdict = judged.conclusion.verdict
        if let emptyEndpoint, verdict.reason == .noChampion, verdict.winner == .challenger {
            verdict.message =
                "There are no models deployed at endpoint \(emptyEndpoint). Model will be deployed without compare."
        }
        let isAdvice = rule.mode == .advisory
        var decision = Decision(
            inputs: Decision.Inputs(
                item: item, run: run, model: input.model,
                challenger: EvaluatedCandidate(
                    version: challenger.version, trainingRun: challenger.trainingRun,
                    value: judged.challenger, artifact: challenger.artifact),
                champion: champion.map {
                    EvaluatedCandidate(
                        version: $0.version, trainingRun: $0.trainingRun, value: judged.champion, artifact: $0.artifact)
                },
                championSelector: input.championSelector),
            rule: rule, winner: verdict.winner, reason: verdict.reason,
            message: (isAdvice ? "Advisory, nothing is held up: \(verdict.message)" : verdict.message).shortened())
        decision.gates = judged.conclusion.gates
        decision.dataset = evidence.dataset
        decision.evidence = evidence.digests.isEmpty ? nil : evidence.digests
        decision.logAs = input.logAs
        if decision.winner == .champion, let bypass {
            if decision.concernsSame(as: bypass.of) { return decision.bypassed(by: bypass.bypass) }
            decision.message =
                "\(decision.message) (\(bypass.bypass.by)'s bypass is void: it was about another pair)".shortened()
        }
        return decision
    }
}

extension Decision {
    func event(digest: Digest, step: String, rule: JSONValue) -> EvaluationDecided {
        EvaluationDecided(
            decision: digest.text, run: inputs.run, step: step, model: inputs.model, winner: winner, rule: rule,
            metric: self.rule.metric, challenger: inputs.challenger, champion: inputs.champion, reason: reason,
            message: message, championSelector: inputs.championSelector, gates: gates?.told,
            dataset: dataset,
            advisory: isAdvisory ? true : nil, bypass: bypass,
            logged: logAs.map { LoggedComparison(runName: $0.runName, experiment: $0.experiment, metrics: logged) })
    }
}

extension [EvaluatedGate] {
    /// What an event has room for: of many slices first those that were lost. The decision's record keeps all.
    fileprivate var told: [EvaluatedGate] {
        let slices = filter { $0.kind == "slice" }
        guard slices.count > SliceRule.mostTold else { return map { $0.shortened() } }
        let first = (slices.filter { !$0.passed } + slices.filter(\.passed)).prefix(SliceRule.mostTold)
        return (filter { $0.kind != "slice" } + first).map { $0.shortened() }
    }
}

extension EvaluatedGate {
    /// It travels in events, together with others.
    fileprivate func shortened() -> EvaluatedGate {
        var gate = self
        gate.name = name.shortened(to: 200)
        gate.message = message.shortened(to: 300)
        return gate
    }
}

extension ComparisonRule {
    func asJSON() throws -> JSONValue { try Wire.tree(self) }
}
