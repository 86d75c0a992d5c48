import EventLog
import GRDB
import Messages
import Store

/// What MLflow's clients do with versions, under the same rules as steps and people.
extension Transaction {
    /// A version of its own each time, as MLflow counts them.
    func register(
        _ model: String, _ artifact: ModelArtifact, listed: [StoredFile], _ client: ClientVersion,
        tags: [String: String], by caller: Caller
    ) throws -> Int {
        let declaration = try KnowledgeQueries.declaration(of: model, db)
        let mirror = declaration?.model.stages.mirror
        let tags = try TagChange(wanted: tags).decide(tags: [:], mirror: mirror).set
        let told = try told(client, artifact, by: caller)
        // Code in training speaks for itself, whatever run it names: its version is not of another's commit.
        let trainingRun = caller.training?.trainingRun ?? told?.trainingRun
        let origin = try trainingRun.map { try TrainingQueries.origin(of: $0, db) } ?? Origin(nil, nil)
        try checkHeard(origin.after)
        let run = caller.training?.run ?? origin.run
        var facts = ModelRegistered(
            model: model, version: try nextVersion(of: model), trainingRun: trainingRun, run: run,
            project: caller.training?.project ?? declaration?.project, artifact: artifact,
            metrics: told?.metrics ?? [:], params: told?.parameters ?? [:], tags: tags,
            environment: origin.environment, git: origin.git ?? told?.git, snapshot: origin.snapshot,
            environmentVersion: origin.environmentVersion, dataset: origin.dataset, predictions: origin.predictions,
            build: origin.build, tests: try run.flatMap { try JudgementQueries.tests(of: [$0], db) })
        facts.source = client.source
        facts.mlflowRun = client.run.isEmpty ? nil : client.run
        facts.description = client.description
        let required = declaration?.model.requires ?? []
        try facts.check(required: required)
        try Registration.shorten(&facts, keeping: required)
        try remember(list: artifact.digest, files: listed)
        try insert(facts, client)
        try say(facts, about: model, version: facts.version, caller)
        return facts.version
    }

    /// What the tests of a run said stands in the evaluator's log: no version is made, or refused, without a word that is on
    /// its way.
    private func checkHeard(_ after: [LogPosition]) throws {
        guard let told = after.first(where: { $0.source == .evaluator }), told.seq > 0 else { return }
        let reached = try cursor(for: .evaluator)?.place ?? LogPlace(epoch: 0, seq: 0)
        guard reached < LogPlace(epoch: told.epoch, seq: told.seq) else { return }
        throw MLflowError(
            .unavailable, "The registry has not heard yet of all that the run did before its training; ask again")
    }

    /// What the named run says of the version. A training's run speaks for what its own code made, and for nothing else:
    /// other files do not get its commit, tests, predictions and numbers by naming it.
    private func told(_ client: ClientVersion, _ artifact: ModelArtifact, by caller: Caller) throws -> RunFacts? {
        guard !client.run.isEmpty, let told = try RunFacts.of(client.run, db) else { return nil }
        guard let trainingRun = told.trainingRun, trainingRun != caller.training?.trainingRun,
            trainingRun != client.maker
        else { return told }
        return try TrainingQueries.isModel(artifact.digest, of: trainingRun, db) ? told : nil
    }

    func change(tags wanted: [String: String?], of version: Int, _ model: String, _ caller: Caller) throws -> JSONValue
    {
        let mirror = try KnowledgeQueries.mirror(of: model, db)
        let held = try VersionQueries.tags(of: version, model: model, db)
        let change = try TagChange(wanted: wanted).decide(tags: held, mirror: mirror)
        guard !change.set.isEmpty || !change.removed.isEmpty else { return MLflowDoor.done }
        try self.change(tagsOf: version, model: model, set: change.set, removed: change.removed)
        try touch(version: version, of: model)
        try say(
            ModelTagged(model: model, version: version, set: change.set, removed: change.removed), about: model,
            version: version, caller)
        return MLflowDoor.done
    }

    /// Leaves its stage first, which needs the right to do so; nothing that serves is deleted.
    func delete(version: Int, of model: String, _ caller: Caller) throws {
        if let endpoint = try KnowledgeQueries.serving(model, db).first(where: { $0.value == version })?.key {
            throw MLflowError.denied(
                "Version \(version) of '\(model)' is served by endpoint '\(endpoint)': deploy another one there first")
        }
        if try VersionQueries.version(version, of: model, db)?.stage != nil {
            _ = try carryOut(leaving(version, of: model, caller), because: .first(actor: caller.actor.name))
        }
        for alias in try ModelQueries.aliases(of: version, model, db) {
            try removeAlias(alias, of: model)
            try say(ModelAliasChanged(model: model, alias: alias, from: version, to: nil), about: model, caller)
        }
        try markDeleted(version: version, of: model)
        try say(ModelVersionDeleted(model: model, version: version), about: model, version: version, caller)
    }

    /// Says in an event why a version may not leave its stage and so is not deleted (S0-19).
    func refuse(deletionOf version: Int, of model: String, _ refusal: Refusal, _ caller: Caller) throws {
        try refuse(
            leaving(version, of: model, caller), reason: refusal.reason, command: nil,
            because: .first(actor: caller.actor.name))
    }

    private func leaving(_ version: Int, of model: String, _ caller: Caller) -> TransitionOrder {
        TransitionOrder(
            model: model, selector: .number(version), to: "none", actor: caller.actor, reason: "the version is deleted")
    }
}

/// What a run of an MLflow client told.
struct RunFacts: Sendable, Hashable {
    var trainingRun: String?
    var metrics: [String: JSONValue]
    var parameters: [String: String]
    /// What its tags say.
    var git: GitReference?
}
