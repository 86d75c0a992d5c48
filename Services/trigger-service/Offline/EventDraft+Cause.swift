import Foundation
import Messages
import ProjectFile

extension EventDraft {
    func envelope(id: String, at now: Timestamp) -> Envelope {
        Envelope(
            id: id, source: "/martlet/plan", type: type, subject: "plan", time: time ?? now, partitionkey: "plan",
            causation: .first(actor: actor), data: data)
    }

    /// The cause that the service would make of it; what the draft leaves out is the repository's.
    ///
    /// - Throws: `Refusal` for what is no cause, and for what is missing and cannot be guessed.
    func cause(
        _ envelope: Envelope, _ commit: OfflineRepository.Commit, _ git: GitReference, _ project: Project
    ) throws -> Cause {
        switch shortEventName(type) {
        case ChangePushed.name:
            let paths = data["paths"]?.array?.compactMap(\.string)
            let change = ChangePushed(
                repository: git.repository, url: git.url, branch: git.branch, before: text("before"), sha: commit.sha,
                paths: paths ?? commit.paths,
                pathsTruncated: data["pathsTruncated"]?.bool ?? (paths == nil && commit.pathsTruncated),
                author: text("author") ?? commit.author, message: text("message") ?? commit.message)
            return Cause(change, envelope)
        case RunRequested.name:
            let request = RunRequested(
                project: project.name, pipeline: try wanted("pipeline", project),
                parameters: data["parameters"]?.object ?? [:])
            return Cause(request, envelope, git: git)
        case ScheduleTicked.name:
            let name = try wanted("pipeline", project)
            let schedule = project.pipeline(name)?.schedules.first
            let tick = ScheduleTicked(
                project: project.name, pipeline: name, cron: text("cron") ?? schedule?.cron.text ?? "",
                timeZone: text("timeZone") ?? schedule?.timeZone ?? "UTC",
                due: text("due").flatMap(Timestamp.init) ?? envelope.time, missed: data["missed"]?.int ?? 0,
                repository: git.repository, branch: git.branch, sha: git.sha)
            return Cause(tick, envelope, git: git)
        case RunFinished.name: return try finished(envelope, git, project)
        case ModelRegistered.name, ModelStageChanged.name, ModelTagged.name: return try changed(envelope, git, project)
        default:
            let known = [
                ChangePushed.name, RunRequested.name, ScheduleTicked.name, RunFinished.name, ModelRegistered.name,
                ModelStageChanged.name, ModelTagged.name,
            ]
            throw Refusal(
                "'\(shortEventName(type))' cannot be planned with; these can: " + known.joined(separator: ", "))
        }
    }

    /// The name of a pipeline; told when there is none of it, because that is what the verdict would be about.
    private func wanted(_ key: String, _ project: Project) throws -> String {
        guard let name = text(key) else {
            let known = project.pipelines.map(\.name).joined(separator: ", ")
            throw Refusal("the data of '\(shortEventName(type))' needs '\(key)': one of \(known)")
        }
        return name
    }

    private func finished(_ envelope: Envelope, _ git: GitReference, _ project: Project) throws -> Cause {
        let pipeline = try wanted("pipeline", project)
        guard let outcome = Outcome(rawValue: text("outcome") ?? "succeeded") else {
            throw Refusal("no run ends '\(text("outcome") ?? "")'")
        }
        let outputs = data["outputs"] ?? [:]
        let summary: JSONValue = [
            "id": .string(text("run") ?? envelope.id), "number": .int(data["number"]?.int ?? 1), "url": "",
            "pipeline": .string(pipeline), "outcome": .string(outcome.rawValue), "branch": .string(git.branch),
            "sha": .string(git.sha), "outputs": outputs,
        ]
        return Cause(
            id: envelope.id, type: envelope.type,
            occasion: .pipelineFinished(run: text("run") ?? envelope.id, pipeline: pipeline, outcome: outcome),
            git: git, project: project.name, because: envelope.consequence, requester: envelope.actor,
            event: ["kind": "pipeline", "id": .string(envelope.id), "run": summary],
            upstream: [
                "run": summary, "pipeline": .string(pipeline), "outputs": outputs, "outcome": .string(outcome.rawValue),
            ])
    }

    private func changed(_ envelope: Envelope, _ git: GitReference, _ project: Project) throws -> Cause {
        let model = try text("model") ?? project.modelDeclarations().first?.name ?? project.name
        var members: [String: JSONValue] = ["name": .string(model)]
        let occasion: Cause.Occasion
        switch shortEventName(type) {
        case ModelStageChanged.name:
            occasion = .modelStageChanged(model: model, from: text("from"), to: text("to"))
            members["stage"] = data["to"] ?? .null
            members["previous_stage"] = data["from"] ?? .null
        case ModelTagged.name:
            let set = (data["set"]?.object ?? [:]).compactMapValues(\.scalarText)
            occasion = .modelTagged(model: model, tags: set)
            members["tags"] = .object(set.mapValues(JSONValue.string))
        default:
            occasion = .modelRegistered(model: model)
            members["stage"] = .null
        }
        return Cause(
            occasion, envelope, version: data["version"]?.int ?? 1, model: members,
            origin: VersionOrigin(project: project.name, git: git),
            position: LogPosition(source: .registryService, epoch: 0, seq: 0))
    }
}
