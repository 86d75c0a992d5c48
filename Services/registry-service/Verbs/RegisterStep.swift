import Artifacts
import GRDB
import Messages
import ServiceKit
import Store

/// `registry/register`: makes a training run's model a version, once (S2-16, G1).
struct RegisterStep: Sendable {
    let store: StateStore
    let artifacts: ArtifactStore

    static let verb = StepVerb.lasting(["registry/register"]) { work, tools in
        let step = RegisterStep(store: tools.context.store, artifacts: tools.context.artifacts)
        return StepEnding(try await step.perform(work))
    }

    func perform(_ work: StepWork) async throws -> StepResult {
        do {
            let input = StepInput(work: work)
            let tags = try TagChange(work.with["tags"]).wanted
            let wish = Registration(
                model: try input.model(), trainingRun: try input.required("run"), tags: tags.compactMapValues { $0 },
                emptyTags: Set(tags.filter { $0.value == nil }.keys), path: try input.text("path"))
            // Hashing a large model must not hold up everybody's commits: it is done before the transaction.
            let artifact = try await checkedArtifact(of: wish)
            return try await store.write { tx in try commit(wish, artifact: artifact, work: work, in: tx) }
        } catch let refusal as Refusal {
            return StepResult(.failed, message: "Model registration failed: \(refusal.reason)")
        }
    }

    /// The artifact, of which it is certain that it is in the store, undamaged (C-7, G12).
    private func checkedArtifact(of wish: Registration) async throws -> ModelArtifact {
        let run = try await store.read { db in try KnowledgeQueries.trainingRun(wish.trainingRun, db) }
        let artifact = try wish.artifact(of: run)
        do {
            try await artifacts.verifyAll(of: artifact.digest)
            if artifact.fileCount != nil, let path = wish.path, path != "model", !path.isEmpty {
                try wish.check(path, isAmong: try await artifacts.names(of: artifact.digest))
            }
        } catch let error as ArtifactError {
            throw Refusal("the model of training run '\(wish.trainingRun)' cannot be used: \(error)")
        }
        return artifact
    }

    private func commit(
        _ wish: Registration, artifact: ModelArtifact, work: StepWork, in tx: Transaction
    ) throws -> StepResult {
        let declaration = try KnowledgeQueries.declaration(of: wish.model, tx.db)
        try checkOwner(of: wish.model, declaredBy: declaration?.project, asking: work.run.project)
        guard let run = try KnowledgeQueries.trainingRun(wish.trainingRun, tx.db) else {
            throw Refusal("training run '\(wish.trainingRun)' is gone")
        }
        func created(_ facts: ModelRegistered) -> StepResult {
            answer(
                wish, version: facts.version, artifact: artifact, created: true,
                wish.message(version: facts.version, description: facts.tags["description"], of: run, work.with))
        }
        if let earlier = try VersionQueries.registered(
            model: wish.model, trainingRun: wish.trainingRun, digest: artifact.digest, tx.db)
        {
            // The same step after a crash is told what it would have been told before it.
            if earlier.item == work.item,
                let version = try VersionQueries.version(earlier.version, of: wish.model, tx.db)
            {
                return created(version.facts)
            }
            return answer(
                wish, version: earlier.version, artifact: artifact, created: false,
                "\(wish.model) version \(earlier.version) is already registered for training run \(wish.trainingRun)")
        }
        let mirror = declaration?.model.stages.mirror
        let wanted = try wish.tags.merging(Registration.notes(work.with, of: run)) { tag, _ in tag }
        let tags = try TagChange(wanted: wanted).decide(tags: [:], mirror: mirror).set
        let facts = ModelRegistered(
            model: wish.model, version: try tx.nextVersion(of: wish.model), trainingRun: run.trainingRun,
            run: work.run.id, project: work.run.project, artifact: artifact, metrics: run.metrics, params: run.params,
            tags: run.tags.filter { $0.key != mirror }.merging(tags) { _, wished in wished },
            environment: run.environment, git: run.git ?? work.run.git,
            snapshot: run.snapshot ?? work.run.snapshot, environmentVersion: run.environmentVersion,
            dataset: run.dataset, predictions: run.predictions,
            build: BuildReference(
                id: work.run.id, number: work.run.number, url: work.run.url, pipeline: work.run.pipeline),
            tests: try JudgementQueries.tests(of: Set([run.run, work.run.id]).sorted(), tx.db))
        try Registration.checkSize(facts)
        try facts.check(required: declaration?.model.requires ?? [])
        try tx.insert(facts, trainingRun: run.trainingRun, item: work.item)
        try tx.announce(
            facts, about: facts.model, version: facts.version, because: work.causation.acting(as: work.actor.name))
        return created(facts)
    }

    private func answer(
        _ wish: Registration, version: Int, artifact: ModelArtifact, created: Bool, _ message: String
    ) -> StepResult {
        StepResult(
            .succeeded,
            outputs: [
                "model": .string(wish.model), "version": .int(version), "digest": .string(artifact.digest.text),
                "created": .bool(created),
            ],
            message: message)
    }
}
