import Foundation
import Messages
import ProjectFile

/// What a cause is about, where the draft does not say it itself.
struct DraftPlace: Sendable {
    var commit: OfflineRepository.Commit
    var git: GitReference
    var project: Project
}

extension EventDraft {
    /// The commit that it is about; `nil` where the newest state of the repository counts.
    var sha: String? { isHeard ? nil : text("sha") }

    /// The cause that the service would make of it; what the draft leaves out is the repository's.
    ///
    /// - Throws: `Refusal` for what is no cause, and for what is missing and cannot be guessed.
    func cause(_ envelope: Envelope, _ place: DraftPlace) throws -> Cause {
        if let cause = try change(envelope, place) ?? heard(envelope, place) { return cause }
        switch shortEventName(type) {
        case RunRequested.name:
            let request = RunRequested(
                project: place.project.name, pipeline: try wanted("pipeline", place.project),
                parameters: data["parameters"]?.object ?? [:])
            return Cause(request, envelope, git: place.git)
        case ScheduleTicked.name: return try ticked(envelope, place)
        case RunFinished.name: return try finished(envelope, place)
        case ModelRegistered.name, ModelStageChanged.name, ModelTagged.name, ModelAliasChanged.name:
            return try changed(envelope, place)
        default:
            let known =
                Self.changes + HeardEvents.ofForges + HeardEvents.ofServices + [
                    RunRequested.name, ScheduleTicked.name, RunFinished.name, ModelRegistered.name,
                    ModelStageChanged.name, ModelTagged.name, ModelAliasChanged.name,
                ]
            throw Refusal(
                "'\(shortEventName(type))' cannot be planned with; these can: \(known.joined(separator: ", ")),"
                    + " and events of other programs")
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

    private func ticked(_ envelope: Envelope, _ place: DraftPlace) throws -> Cause {
        let (git, project) = (place.git, place.project)
        let name = try wanted("pipeline", project)
        let schedule = project.pipeline(name)?.schedules.first
        let tick = ScheduleTicked(
            project: project.name, pipeline: name, cron: text("cron") ?? schedule?.cron.text ?? "",
            timeZone: text("timeZone") ?? schedule?.timeZone ?? "UTC",
            due: text("due").flatMap(Timestamp.init) ?? envelope.time, missed: data["missed"]?.int ?? 0,
            repository: git.repository, branch: git.branch, sha: git.sha)
        return Cause(tick, envelope, git: git)
    }

    private func finished(_ envelope: Envelope, _ place: DraftPlace) throws -> Cause {
        let (git, project) = (place.git, place.project)
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

    private func changed(_ envelope: Envelope, _ place: DraftPlace) throws -> Cause {
        let project = place.project
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
        case ModelAliasChanged.name:
            guard let alias = text("alias") else { throw Refusal("the data of 'model.alias_changed' needs 'alias'") }
            occasion = .modelAliasChanged(model: model, alias: alias)
            members["alias"] = .string(alias)
            members["previous_version"] = data["from"] ?? .null
        default:
            occasion = .modelRegistered(model: model)
            members["stage"] = .null
        }
        return Cause(
            occasion, envelope, version: data["version"]?.int ?? data["to"]?.int ?? 1, model: members,
            origin: VersionOrigin(project: project.name, git: place.git),
            position: LogPosition(source: .registryService, epoch: 0, seq: 0))
    }
}
