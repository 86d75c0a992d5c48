import Messages
import Store

extension Dispatcher {
    /// What registry-service said: noted for champions, and a cause.
    func model(_ event: Envelope, at position: LogPosition, _ transaction: Transaction) throws {
        if let registered = try event.body(ModelRegistered.self) {
            try transaction.insert(registered)
            try moved(
                registered.model, registered.version, .modelRegistered(model: registered.model), ["stage": .null],
                event, position, transaction)
        } else if let changed = try event.body(ModelStageChanged.self) {
            for move in changed.replaced {
                try transaction.setStage(move.to, model: changed.model, version: move.version)
            }
            try transaction.setStage(changed.to, model: changed.model, version: changed.version)
            try staged(
                changed.model, changed.version, from: changed.from, to: changed.to, as: event.id, event, position,
                transaction)
            // Those that made room, each a cause of its own. What is taken back only puts right what was told before.
            for move in changed.replaced where changed.compensates == nil {
                try staged(
                    changed.model, move.version, from: move.from, to: move.to, as: "\(event.id)@\(move.version)", event,
                    position, transaction)
            }
        } else if let deleted = try event.body(ModelVersionDeleted.self) {
            try transaction.forget(deleted)
        } else if let tagged = try event.body(ModelTagged.self) {
            try transaction.apply(tagged)
            try moved(
                tagged.model, tagged.version, .modelTagged(model: tagged.model, tags: tagged.set),
                ["tags": .object(tagged.set.mapValues(JSONValue.string))], event, position, transaction)
        } else if let changed = try event.body(ModelAliasChanged.self), let version = changed.to {
            let members: [String: JSONValue] = [
                "alias": .string(changed.alias), "previous_version": changed.from.map(JSONValue.int) ?? .null,
            ]
            try moved(
                changed.model, version, .modelAliasChanged(model: changed.model, alias: changed.alias), members, event,
                position, transaction)
        }
    }

    /// What evaluator said: people are not asked any longer about a decision that was taken back (E13).
    func judgement(_ event: Envelope, _ transaction: Transaction) throws {
        guard let void = try event.body(EvaluationVoided.self) else { return }
        let asked = try transaction.runs(waitingForApprovalOfDecision: void.decision)
        for run in Set(asked).union([void.run]).sorted() {
            try move(run, transaction) { $0.decisionVoided(void.decision, reason: void.reason) }
        }
    }

    private func staged(
        _ model: String, _ version: Int, from: String?, to: String?, as id: String, _ event: Envelope,
        _ position: LogPosition, _ transaction: Transaction
    ) throws {
        let stages: [String: JSONValue] = [
            "stage": to.map(JSONValue.string) ?? .null, "previous_stage": from.map(JSONValue.string) ?? .null,
        ]
        try moved(
            model, version, .modelStageChanged(model: model, from: from, to: to), stages, event, as: id, position,
            transaction)
    }

    /// - Parameter id: of the cause; `nil`: the event's own.
    private func moved(
        _ model: String, _ version: Int, _ occasion: Cause.Occasion, _ members: [String: JSONValue],
        _ event: Envelope, as id: String? = nil, _ position: LogPosition, _ transaction: Transaction
    ) throws {
        for run in try transaction.runs(waitingForApprovalOf: model) {
            try move(run, transaction) { $0.voidStaleApprovals() }
        }
        var origin = try transaction.version(model, version)?.origin ?? VersionOrigin()
        if let project = try home(of: model, origin, transaction) {
            let isOver = origin.project != nil && origin.project != project.name
            origin.project = project.name
            // Without a commit of its own, or of a project that is over, the version goes by what its project says now.
            if try isOver || origin.git.map({ try transaction.repository($0.repository) == nil }) ?? true {
                let url = try transaction.repository(project.repository)?.url
                origin.git = url.map {
                    GitReference(
                        repository: project.repository, url: $0, branch: project.branch, sha: project.sha, message: "")
                }
            }
        }
        var described = members
        described["name"] = .string(model)
        var cause = Cause(
            occasion, event, version: version, model: described, origin: origin, position: position)
        if let id { cause.id = id }
        try take(cause, transaction)
    }

    /// The project that made the version, else one that declares its model.
    private func home(
        of model: String, _ origin: VersionOrigin, _ transaction: Transaction
    ) throws -> LoadedProject? {
        if let name = origin.project, let project = try transaction.project(name) { return project }
        return try transaction.projects(declaring: model).first
    }
}
