import Messages

extension Reading {
    static let changeKeys = ["branches", "paths"]
    static let patternKeys = ["include", "exclude"]
    static let tagKeys = ["match"]
    static let commentKeys = ["in", "match"]
    static let manualKeys = ["parameters"]
    static let completionKeys = ["name", "branches", "conclusion"]
    static let modelTriggerKeys = ["name", "registered", "stage", "tag", "alias"]
    static let stageChangeKeys = ["to", "from"]
    static let eventKeys = ["type", "where"]
    static let triggerWords = [
        "push", "pull_request", "tag", "comment", "manual", "pipeline", "model", "event", "schedule", "all",
    ]
    /// Those that may stand alone in a list, where they have to be told from branches.
    private static let listedWords = triggerWords.filter { $0 != "all" }

    /// `on:` as a map, a list of words or one word; in Azure's manner also the branches or paths of a push.
    func triggers(_ tree: Tree?, _ names: KnownNames) -> [Trigger] {
        guard let tree else { return [] }
        switch tree.value {
        case .scalar(let text, _):
            if text == "none" { return [] }
            return bare(text, at: tree.place, names).map { [$0] } ?? []
        case .list(let items):
            let words = items.compactMap(\.text)
            if !words.isEmpty, !words.contains(where: { nearest(to: $0, among: Self.listedWords) != nil }) {
                return [.push(branches: BranchFilter(patterns(tree, "'trigger'")), paths: .any)]
            }
            return items.compactMap { item in text(item, "each of 'on'").flatMap { bare($0, at: item.place, names) } }
        case .map(let entries):
            if entries.contains(where: { Self.changeKeys.contains($0.key) }) {
                return change(tree, "'trigger'").map { [.push(branches: $0.0, paths: $0.1)] } ?? []
            }
            return mapped(tree, names)
        }
    }

    private func bare(_ word: String, at place: Place, _ names: KnownNames) -> Trigger? {
        let nothing = Tree(place: place, value: .scalar("", plain: true))
        guard Self.triggerWords.contains(word) else {
            fail(place, "nothing starts on '\(word)'" + suggestion(for: word, among: Self.triggerWords))
            return nil
        }
        return trigger(word, nothing, names)
    }

    private func mapped(_ tree: Tree, _ names: KnownNames) -> [Trigger] {
        guard case .map(let entries) = tree.value,
            fields(tree, of: "'on'", keys: Self.triggerWords) != nil
        else { return [] }
        return entries.flatMap { entry -> [Trigger] in
            guard Self.triggerWords.contains(entry.key) else { return [] }
            // Several of a kind: `pipeline: [{…}, {…}]`.
            guard case .list(let items) = entry.value.value else {
                return trigger(entry.key, entry.value, names).map { [$0] } ?? []
            }
            return items.compactMap { trigger(entry.key, $0, names) }
        }
    }

    func trigger(_ word: String, _ tree: Tree, _ names: KnownNames) -> Trigger? {
        switch word {
        case "push": change(tree, "'push'").map { .push(branches: $0.0, paths: $0.1) }
        case "pull_request": pullRequest(tree)
        case "tag": tag(tree)
        case "comment": comment(tree)
        case "manual": manual(tree, names)
        case "pipeline": completion(tree, names)
        case "model": model(tree, names)
        case "event": event(tree)
        case "all": conjunction(tree, names)
        default: schedule(tree)
        }
    }

    func pullRequest(_ tree: Tree) -> Trigger? {
        if tree.text == "none" { return nil }
        if case .list = tree.value {
            return .pullRequest(branches: BranchFilter(patterns(tree, "'pr'")), paths: .any)
        }
        return change(tree, "'pull_request'").map { .pullRequest(branches: $0.0, paths: $0.1) }
    }

    private func change(_ tree: Tree, _ what: String) -> (BranchFilter, PathFilter)? {
        guard let fields = fields(tree, of: what, keys: Self.changeKeys) else { return nil }
        return (
            BranchFilter(patterns(fields["branches"], "'branches'")), PathFilter(patterns(fields["paths"], "'paths'"))
        )
    }

    /// A list, or `{include, exclude}` as Azure writes it.
    private func patterns(_ tree: Tree?, _ what: String) -> [String] {
        guard let tree else { return [] }
        if case .map = tree.value {
            guard let fields = fields(tree, of: what, keys: Self.patternKeys) else { return [] }
            return patterns(fields["include"], "'include'") + patterns(fields["exclude"], "'exclude'").map { "!" + $0 }
        }
        return texts(tree, what).compactMap { entry in
            if entry.text.contains("${{") {
                fail(entry.place, "\(what) cannot hold an expression")
                return nil
            }
            if entry.text.isEmpty || entry.text == "!" || entry.text.utf8.count > 500 {
                fail(entry.place, "a pattern of \(what) has 1 to 500 bytes")
                return nil
            }
            return entry.text
        }
    }

    private func tag(_ tree: Tree) -> Trigger? {
        guard let fields = fields(tree, of: "'tag'", keys: Self.tagKeys) else { return nil }
        return .tag(BranchFilter(patterns(fields["match"], "'match'")))
    }

    private func comment(_ tree: Tree) -> Trigger? {
        guard let fields = fields(tree, of: "'comment'", keys: Self.commentKeys) else { return nil }
        let place = word(fields["in"], "'in'", CommentPlace.self) ?? .pullRequest
        let words = texts(fields["match"], "'match'").map(\.text)
        if words.isEmpty { fail(fields.place, "'comment' needs 'match': the words that start it") }
        return .comment(words: words, place: place)
    }

    private func manual(_ tree: Tree, _ names: KnownNames) -> Trigger? {
        guard let fields = fields(tree, of: "'manual'", keys: Self.manualKeys) else { return nil }
        return .manual(parameters(fields["parameters"], names))
    }

    static let conclusions: [String: Set<Outcome>] = [
        "success": [.succeeded], "succeeded": [.succeeded], "failure": [.failed], "failed": [.failed],
        "not_promoted": [.notPromoted], "canceled": [.canceled], "skipped": [.skipped],
        "any": Set(Outcome.allCases),
    ]

    private func completion(_ tree: Tree, _ names: KnownNames) -> Trigger? {
        if let name = tree.text, !tree.isEmpty {
            known(name, at: tree.place, among: names.pipelines, "pipeline")
            return .pipeline(name: name, branches: .any, conclusions: [.succeeded])
        }
        guard let fields = fields(tree, of: "'pipeline'", keys: Self.completionKeys) else { return nil }
        guard let named = fields["name"], let name = fixedText(named, "'name'") else {
            if fields["name"] == nil { fail(fields.place, "'pipeline' needs 'name': the pipeline that it follows") }
            return nil
        }
        known(name, at: named.place, among: names.pipelines, "pipeline")
        var conclusions: Set<Outcome> = []
        for entry in texts(fields["conclusion"], "'conclusion'") {
            if let outcomes = Self.conclusions[entry.text] {
                conclusions.formUnion(outcomes)
            } else {
                let known = Self.conclusions.keys.sorted()
                fail(entry.place, "no run ends '\(entry.text)'" + suggestion(for: entry.text, among: known))
            }
        }
        return .pipeline(
            name: name, branches: BranchFilter(patterns(fields["branches"], "'branches'")),
            conclusions: conclusions.isEmpty ? [.succeeded] : conclusions
        )
    }

    /// Says that a name leads nowhere.
    func known(_ name: String, at place: Place, among names: [String], _ what: String) {
        if !names.contains(name) { fail(place, "there is no \(what) '\(name)'" + suggestion(for: name, among: names)) }
    }

    private func model(_ tree: Tree, _ names: KnownNames) -> Trigger? {
        guard let fields = fields(tree, of: "'model'", keys: Self.modelTriggerKeys) else { return nil }
        var tags: [String: String] = [:]
        if let tree = fields["tag"] {
            if case .map(let entries) = tree.value {
                for entry in entries {
                    tags[entry.key] = entry.value.isEmpty ? "" : text(entry.value, "a tag's value") ?? ""
                }
            } else {
                for entry in texts(tree, "'tag'") { tags[entry.text] = "" }
            }
        }
        let stage = fields["stage"].flatMap { stageChange($0, names) }
        let isOther = ["stage", "tag", "alias"].contains(where: fields.has)
        return .model(
            ModelTrigger(
                name: fixedText(fields["name"], "'name'"),
                registered: flag(fields["registered"], "'registered'") ?? !isOther, stage: stage, tags: tags,
                aliases: texts(fields["alias"], "'alias'").map(\.text))
        )
    }

    private func stageChange(_ tree: Tree, _ names: KnownNames) -> ModelTrigger.StageChange? {
        if case .map = tree.value {
            guard let fields = fields(tree, of: "'stage'", keys: Self.stageChangeKeys) else { return nil }
            return ModelTrigger.StageChange(to: stages(fields["to"], names), from: stages(fields["from"], names))
        }
        return ModelTrigger.StageChange(to: stages(tree, names), from: [])
    }

    private func stages(_ tree: Tree?, _ names: KnownNames) -> [String] {
        texts(tree, "'stage'").map { entry in
            if let stages = names.stages, entry.text != "none" {
                known(entry.text, at: entry.place, among: stages.sorted(), "stage")
            }
            return entry.text
        }
    }

    private func event(_ tree: Tree) -> Trigger? {
        guard let fields = fields(tree, of: "'event'", keys: Self.eventKeys) else { return nil }
        guard let type = fixedText(fields["type"], "'type'") else {
            if fields["type"] == nil { fail(fields.place, "'event' needs 'type'") }
            return nil
        }
        if let place = fields["type"]?.place { checkHeard(type, at: place) }
        var filter = EventFilter(fields: [])
        guard let tree = fields["where"] else { return .event(type: type, filter: filter) }
        guard case .map(let entries) = tree.value else {
            fail(tree.place, "'where' is a map from a field, such as data.kind, to its value, not \(tree.kindInWords)")
            return nil
        }
        for entry in entries {
            let isAttribute = EventFilter.attributes.contains(entry.key)
            var path = entry.key.split(separator: ".").map(String.init)
            if path.count > 1, path.first == "data" { path.removeFirst() }
            let values = scalars(entry.value)
            if EventFilter.looksLikeData(entry.key, values) {
                let key = entry.key
                warn(entry.place, "'\(key)' is the event's own \(key); a field of its data is written 'data.\(key)'")
            }
            filter.fields.append(EventFilter.Field(path: path, values: values, isAttribute: isAttribute))
        }
        return .event(type: type, filter: filter)
    }

    /// Says that a type of ours starts nothing, and what does instead.
    private func checkHeard(_ type: String, at place: Place) {
        let glob = Glob(type)
        var own: [String] = []
        var isOurs = type.hasPrefix("dev.martlet.")
        // A loop: Swift 6.3 crashes on key paths and closures over these types.
        for body in allEventBodies {
            if glob.matches(body.name) || glob.matches(body.eventType) { own.append(body.name) }
            if body.name == type { isOurs = true }
        }
        guard isOurs else { return }
        let heard = HeardEvents.ofForges + HeardEvents.ofServices
        if own.contains(where: { heard.contains($0) }) { return }
        let word = own.first.flatMap { Self.word(for: $0) }
        let instead = word.map { "; use '\($0):'" } ?? suggestion(for: type, among: heard)
        failIfNew(place, "'event' starts nothing on '\(type)'\(instead)")
    }

    /// What is written under `on:` for an event that is a trigger of its own.
    private static func word(for name: String) -> String? {
        switch name {
        case ChangePushed.name: "push"
        case PullRequestOpened.name, PullRequestUpdated.name: "pull_request"
        case TagCreated.name: "tag"
        case Commented.name: "comment"
        case ScheduleTicked.name, ScheduleMissed.name: "schedule"
        default:
            name.hasPrefix("model.") ? "model" : name.hasPrefix("run.") ? "pipeline" : nil
        }
    }

    private func scalars(_ tree: Tree) -> [JSONValue] {
        switch tree.value {
        case .scalar: return tree.scalar.map { [$0] } ?? []
        case .list(let items): return items.flatMap(scalars)
        case .map:
            fail(tree.place, "a field is compared with a value or a list of values, not with a map")
            return []
        }
    }
}
