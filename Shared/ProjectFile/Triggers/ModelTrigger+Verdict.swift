import Messages

extension ModelTrigger {
    func verdict(for cause: CauseFacts, models: [String]) -> TriggerVerdict {
        switch cause {
        case .modelRegistered(let model):
            if let other = otherModel(model, models) { return other }
            guard registered else {
                return .ignored(code: "model_event", reason: "it does not start on registered versions")
            }
            return .matched(reason: "a version of \(model) was registered")
        case .modelStageChanged(let model, let from, let to):
            if let other = otherModel(model, models) { return other }
            return stageVerdict(model, from ?? "none", to ?? "none")
        case .modelTagged(let model, let set):
            if let other = otherModel(model, models) { return other }
            for (name, value) in tags.sorted(by: { $0.key < $1.key }) {
                if let now = set[name], value.isEmpty || value == now {
                    return .matched(reason: "a version of \(model) was tagged \(name)=\(now)")
                }
            }
            return .ignored(code: "model_event", reason: "it does not start on these tags")
        case .modelAliasChanged(let model, let alias):
            if let other = otherModel(model, models) { return other }
            guard aliases.contains(alias) else {
                return .ignored(code: "model_event", reason: "it does not start on the alias '\(alias)'")
            }
            return .matched(reason: "the alias '\(alias)' of \(model) was given to a version")
        case .push, .pullRequest, .tag, .comment, .manual, .pipelineFinished, .event, .tick:
            return .ignored(code: "no_trigger", reason: "it starts on changes of a model")
        }
    }

    private func otherModel(_ model: String, _ models: [String]) -> TriggerVerdict? {
        let wanted = name.map { [$0] } ?? models
        if wanted.contains(model) { return nil }
        return .ignored(
            code: "other_model",
            reason: "'\(model)' is not \(wanted.isEmpty ? "its model" : wanted.joined(separator: ", "))"
        )
    }

    private func stageVerdict(_ model: String, _ from: String, _ to: String) -> TriggerVerdict {
        guard let stage else {
            return .ignored(code: "model_event", reason: "it does not start on changes of a stage")
        }
        guard stage.to.isEmpty || stage.to.contains(to) else {
            return .ignored(
                code: "stage_filter", reason: "\(model) went to \(to), not to \(stage.to.joined(separator: " or "))"
            )
        }
        guard stage.from.isEmpty || stage.from.contains(from) else {
            return .ignored(
                code: "stage_filter",
                reason: "\(model) came from \(from), not from \(stage.from.joined(separator: " or "))"
            )
        }
        return .matched(reason: "a version of \(model) went from \(from) to \(to)")
    }
}

extension EventFilter {
    /// - Parameter type: in full; our own events go by their short names as well.
    package static func hears(_ wanted: Glob, _ type: String) -> Bool {
        let name = shortEventName(type)
        // What our services tell of follows from runs, so a pipeline that starts on anything would start itself: such an
        // event has to be named, at least by its beginning.
        if HeardEvents.ofServices.contains(name) {
            guard let first = wanted.text.first, !"*?[".contains(first) else { return false }
        }
        return wanted.matches(type) || wanted.matches(name)
    }

    func verdict(type: String, wanted: String, data: JSONValue, attributes: JSONValue) -> TriggerVerdict {
        guard Self.hears(Glob(wanted), type) else {
            return .ignored(code: "event_type", reason: "'\(type)' is not \(wanted)")
        }
        for field in fields {
            var value: JSONValue? = field.isAttribute ? attributes : data
            for name in field.path { value = value.flatMap { $0[name] ?? Int(name).flatMap($0.item) } }
            let found = value ?? .null
            if field.values.contains(where: found.means) { continue }
            let wanted = field.values.map(\.embedded).joined(separator: " or ")
            return .ignored(
                code: "event_filter",
                reason: "\(field.path.joined(separator: ".")) is '\(found.embedded)', not \(wanted)"
            )
        }
        return .matched(reason: "event \(type)")
    }
}

extension JSONValue {
    fileprivate func item(_ index: Int) -> JSONValue? { self[index] }
}
