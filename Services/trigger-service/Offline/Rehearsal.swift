import Artifacts
import Foundation
import Messages
import ProjectFile
import Store

/// The service over a database of its own that is thrown away: its own verdicts and plans, and nothing begins.
struct Rehearsal: Sendable {
    private let repository: OfflineRepository
    private let store: StateStore
    private let dispatcher: Dispatcher
    private let variables: PlanVariables

    init(_ repository: OfflineRepository, _ variables: PlanVariables, folder: String) async throws {
        self.repository = repository
        self.variables = variables
        dispatcher = Dispatcher(variables: variables.variables)
        store = try StateStore.open(
            path: folder + "/plan.sqlite", source: .triggerService, logs: [.ingest], migrate: TriggerStore.migrate)
        let watched = Repository(
            name: repository.name, url: repository.path, poll: .seconds(60), defaultBranch: repository.branch,
            because: .first(actor: "user:you"))
        try await store.write { transaction in
            try transaction.insert(watched)
            try transaction.update(watched, nextAttempt: nil)
        }
    }

    /// What one event would start; with an `ending` also what the ends of those runs would start in turn.
    func play(_ event: EventDraft, ending: Outcome?) async throws -> [JSONValue] {
        let commit = try await repository.commit(event.sha, with: event.comparison, mayLack: event.isDelivered)
        guard !commit.files.isEmpty else {
            throw Refusal(
                "'\(repository.path)' has no \(ProjectReader.mainFile) and nothing under \(ProjectReader.pipelineFolder)/"
            )
        }
        let own = await ownFiles()
        let (repository, dispatcher, variables) = (repository, dispatcher, variables)
        let digest = Digest(of: try Wire.encode(commit.files)).text
        return try await store.write { transaction in
            try transaction.remember(
                repository: repository.name, sha: commit.sha, digest: digest, files: commit.files,
                message: commit.message)
            let envelope = try event.envelope(id: event.id ?? transaction.newID(), at: transaction.now)
            let project = try dispatcher.project(of: commit, repository.name, transaction)
            let branch = event.isHeard ? nil : event.text("branch")
            let git = GitReference(
                repository: repository.name, url: repository.path, branch: branch ?? repository.branch,
                sha: commit.sha, message: commit.message)
            // Whatever happens, happens where the branch is now.
            try transaction.setHead(commit.sha, branch: git.branch, of: repository.name)
            let cause = try event.cause(envelope, DraftPlace(commit: commit, git: git, project: project))
            if cause.untrusted != true {
                try variables.check(project)
            } else if let own {
                try dispatcher.load(own, of: repository, transaction)
            }
            let notes = [commit.note, cause.untrusted == true ? Self.onlyWhereForksAreLet : nil].compactMap(\.self)
            return try dispatcher.rehearse(
                cause, project, ending, note: notes.isEmpty ? nil : notes.joined(separator: "; "), transaction)
        }
    }

    /// Whether they are is said of the repository where it is watched, and not known here.
    private static let onlyWhereForksAreLet =
        "what a fork's request starts counts only after 'martlet repo add --forks': before, nothing starts (fork)"

    /// They decide what a stranger's file has of an operator's values; `nil` where there are no such values.
    private func ownFiles() async -> OfflineRepository.Commit? {
        guard !variables.isEmpty else { return nil }
        return try? await repository.commit(nil, with: .commit(nil), mayLack: false)
    }
}

extension Dispatcher {
    /// - Throws: `Refusal` with all errors of the file.
    fileprivate func project(
        of commit: OfflineRepository.Commit, _ repository: String, _ transaction: Transaction
    ) throws -> Project {
        let digest = try transaction.commitFiles(repository: repository, sha: commit.sha)?.digest ?? ""
        switch try projects.project(digest, repository: repository, in: transaction) {
        case .success(let project): return project
        case .failure(let errors): throw Refusal("the project file has errors:\n\(errors)")
        }
    }

    /// The files as they are hold for the project, where nothing was pushed to it before.
    fileprivate func load(
        _ own: OfflineRepository.Commit, of repository: OfflineRepository, _ transaction: Transaction
    ) throws {
        guard try transaction.project(ofRepository: repository.name) == nil, !own.files.isEmpty else { return }
        let digest = Digest(of: try Wire.encode(own.files)).text
        try transaction.remember(
            repository: repository.name, sha: own.sha, digest: digest, files: own.files, message: own.message)
        guard
            case .success(let project) = try projects.project(digest, repository: repository.name, in: transaction)
        else { return }
        try transaction.save(
            LoadedProject(
                name: project.name, repository: repository.name, digest: project.digest, sha: own.sha,
                branch: repository.branch, position: LogPosition(source: .triggerService, epoch: 0, seq: 0)),
            models: [])
    }

    /// Takes the cause as the service would, and tells what came of it.
    fileprivate func rehearse(
        _ cause: Cause, _ project: Project, _ ending: Outcome?, note: String? = nil, _ transaction: Transaction
    ) throws -> [JSONValue] {
        let isNew = try transaction.cause(cause.id) == nil
        try take(cause, transaction)
        let verdicts = try transaction.verdicts(of: cause.id)
        var told = try verdicts.map { verdict -> JSONValue in
            var members: [String: JSONValue] = [
                "pipeline": .string(verdict.pipeline), "starts": .bool(verdict.matched),
                "code": .string(verdict.code), "reason": .string(verdict.reason),
            ]
            if let run = try verdict.run.flatMap({ try transaction.run($0) })?.run {
                let plan = try plan(of: run, transaction)
                members["plan"] = plan.pipeline.json(plan.jobs)
                members["parameters"] = .object(run.facts.parameters)
            }
            return .object(members)
        }
        // Verdicts that say no more than that nothing listens to it are not stored for every kind of cause.
        if cause.onlyPipeline == nil, !verdicts.contains(where: { $0.pipeline == "*" }) {
            for pipeline in project.pipelines where !verdicts.contains(where: { $0.pipeline == pipeline.name }) {
                guard case .ignored(let code, let reason) = project.verdict(for: cause.facts, pipeline: pipeline.name)
                else { continue }
                told.append([
                    "pipeline": .string(pipeline.name), "starts": false, "code": .string(code),
                    "reason": .string(reason),
                ])
            }
        }
        let order = project.pipelines.map(\.name)
        func place(_ answer: JSONValue) -> Int {
            answer["pipeline"]?.string.flatMap(order.firstIndex) ?? order.count
        }
        told.sort { place($0) < place($1) }
        var answers: [JSONValue] = [
            [
                "event": cause.event, "id": .string(cause.id), "type": .string(shortEventName(cause.type)),
                "project": .string(project.name), "repeated": .bool(!isNew),
                "untrusted": .bool(cause.untrusted == true), "note": note.map(JSONValue.string) ?? .null,
                "pipelines": .array(told),
            ]
        ]
        guard isNew else { return answers }
        for verdict in verdicts {
            guard let stored = try verdict.run.flatMap({ try transaction.run($0) }) else { continue }
            let finished = try end(stored, ending ?? .succeeded, transaction)
            guard ending != nil else { continue }
            answers += try rehearse(finished, project, ending, transaction)
        }
        return answers
    }

    /// The run is over, so that it stands in nobody's way; its end is the next cause.
    private func end(_ stored: StoredRun, _ outcome: Outcome, _ transaction: Transaction) throws -> Cause {
        var run = stored.run
        run.status.phase = .finished
        run.status.outcome = outcome
        run.status.started = transaction.now
        run.status.finished = transaction.now
        try transaction.update(run, from: stored.run)
        let finished = run.finishedEvent
        return Cause(finished, try say(finished, run, transaction), of: run, heads: [])
    }
}
