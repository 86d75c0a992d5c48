import Foundation
import Messages
import ServiceKit
import Store

/// `deploy/model`: brings a version up beside the one that serves, then moves the endpoint's URL to it.
struct DeployModelStep: Sendable {
    let parts: DeployerParts

    var verb: StepVerb {
        .lasting(["deploy/model"]) { work, _ in try await perform(work) }
    }

    func perform(_ work: StepWork) async throws -> StepEnding {
        let endpoint = try await parts.context.store.write { transaction in try begin(work, transaction) }
        do {
            let ended = try await parts.bell.until { try await outcome(of: work) }
            // Whoever comes after this step is to meet the new version.
            try await parts.routes.load()
            return try await ending(ended, at: endpoint)
        } catch let error as CancellationError {
            try await cancel(work, at: endpoint)
            throw error
        }
    }

    /// Makes the deployment, once for each step: a second call finds it and only waits for what comes of it.
    private func begin(_ work: StepWork, _ transaction: Transaction) throws -> String {
        if let known = try RolloutQueries.deployment(item: work.item, transaction.db) {
            return known.deployment.endpoint
        }
        let request: DeployRequest
        let recipe: Recipe
        do {
            request = try DeployRequest(work.with, run: work.run)
            recipe = try self.recipe(request, work, transaction)
        } catch let problem as DeployRequest.Problem {
            throw StepFailure(problem.description)
        } catch let problem as ProcessTarget.Problem {
            throw StepFailure(problem.description)
        }
        let project = work.run.project
        if let owner = try RolloutQueries.endpoint(request.endpoint, transaction.db), owner.project != project {
            throw StepFailure(
                "endpoint '\(request.endpoint)' belongs to project \(owner.project); give this one another `name`")
        }
        try transaction.save(
            EndpointRecord(name: request.endpoint, project: project, target: request.target, model: request.model))
        let deployment = Deployment(
            id: transaction.newID(), item: work.item, endpoint: request.endpoint, project: project,
            target: request.target, model: request.model, version: request.version, run: work.run.id, recipe: recipe,
            causation: work.causation)
        try parts.rollouts.apply(.began(deployment), to: request.endpoint, in: transaction)
        return request.endpoint
    }

    private func recipe(_ request: DeployRequest, _ work: StepWork, _ transaction: Transaction) throws -> Recipe {
        let project = work.run.project
        let targets = try KnowledgeQueries.targets(of: project, sha: work.run.git?.sha, transaction.db) ?? [:]
        guard let declaration = targets[request.target] else {
            let known = targets.isEmpty ? "none" : targets.keys.sorted().joined(separator: ", ")
            throw StepFailure("project \(project) declares no target '\(request.target)'; it has: \(known)")
        }
        guard let facts = try KnowledgeQueries.version(request.version, of: request.model, transaction.db) else {
            throw StepFailure("model \(request.model) has no version \(request.version); register it first")
        }
        guard !facts.isDeleted else {
            throw StepFailure("version \(request.version) of model \(request.model) was deleted; deploy another one")
        }
        var target = try ProcessTarget(
            name: request.target, declaration: declaration, healthSeconds: parts.settings.healthSeconds)
        if let seconds = request.healthSeconds { target.healthSeconds = seconds }
        if let seconds = request.drainSeconds { target.drainSeconds = seconds }
        return Recipe(
            target: target, artifact: facts.artifact, snapshot: work.run.snapshot ?? facts.snapshot,
            environment: request.environment ?? facts.environment)
    }

    /// `nil` while its process is still being started.
    private func outcome(of work: StepWork) async throws -> Deployment? {
        let record = try await parts.context.store.read { db in
            try RolloutQueries.deployment(item: work.item, db)
        }
        return record?.deployment.outcome == nil ? nil : record?.deployment
    }

    private func ending(_ deployment: Deployment, at endpoint: String) async throws -> StepEnding {
        let previous = try await parts.context.store.read { db in
            try deployment.previous.flatMap { try RolloutQueries.deployment($0, db)?.deployment.version }
        }
        let scoring = parts.addresses.scoring(endpoint, deployment.recipe.target.score)
        let outputs: JSONValue = [
            "deployment": .string(deployment.id), "endpoint": .string(endpoint),
            "url": .string(parts.addresses.base(endpoint)), "scoring_uri": .string(scoring),
            "version": .int(deployment.version), "previous": previous.map { .int($0) } ?? .null,
        ]
        switch deployment.outcome {
        case .succeeded:
            let message = "Version \(deployment.version) serves at \(scoring)"
            return StepEnding(StepResult(.succeeded, outputs: outputs, message: message))
        case .canceled:
            return StepEnding(StepResult(.canceled, outputs: outputs, message: deployment.message ?? "canceled"))
        case .failed, .skipped, .notPromoted, nil:
            let reason = deployment.message ?? "unknown"
            return StepEnding(
                StepResult(
                    .failed, outputs: outputs, message: "Deployment of version \(deployment.version) failed: \(reason)")
            )
        }
    }

    private func cancel(_ work: StepWork, at endpoint: String) async throws {
        try await parts.context.store.write { [rollouts = parts.rollouts] transaction in
            guard let known = try RolloutQueries.deployment(item: work.item, transaction.db) else { return }
            // Only one that is still starting: whoever serves already stays.
            if known.deployment.outcome == nil {
                try rollouts.apply(.canceled(known.deployment.id), to: endpoint, in: transaction)
            }
        }
    }
}
