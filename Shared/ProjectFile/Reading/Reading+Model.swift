import Messages

extension Reading {
    static let modelKeys = ["name", "description", "champion", "stages", "requires", "score"]
    static let championKeys = ["select", "order"]
    static let stagesKeys = ["preset", "tag", "states", "rules"]
    static let stageKeys = ["max", "replaced_becomes", "set_by", "from"]
    static let stagePresets = ["mlflow", "trunk", "none"]

    func models(_ sections: Sections, _ names: KnownNames) -> [Model] {
        let own = Template.expression(
            .reference(Expression.Reference(root: .project, path: [], place: Place(file: "", line: 1, column: 1)))
        )
        if let tree = sections.single["model"] {
            if let other = sections.named["models"]?.first {
                fail(other.place, "say 'model' for one model or 'models' for several, not both")
            }
            return model(tree, name: own, names).map { [$0] } ?? []
        }
        guard let several = sections.named["models"], !several.isEmpty else {
            return [Model(name: own, stages: StageMachine(preset: "none", tag: "stage", states: [:]))]
        }
        return several.compactMap { model($0.value, name: .literal(.string($0.key)), names) }
    }

    private func model(_ tree: Tree, name: Template, _ names: KnownNames) -> Model? {
        guard let fields = fields(tree, of: "'model'", keys: Self.modelKeys) else {
            return nil
        }
        let visible = names.visible.without([.model, .git, .secrets])
        return Model(
            name: textTemplate(fields["name"], "the model's name", visible) ?? name,
            description: text(fields["description"], "the model's description"),
            champion: champion(fields["champion"], visible), stages: stages(fields["stages"], names),
            requires: requires(fields["requires"]), score: fixedText(fields["score"], "'score'")
        )
    }

    private func requires(_ tree: Tree?) -> [VersionFact] {
        texts(tree, "'requires'").compactMap { entry in
            if let fact = VersionFact(entry.text) { return fact }
            fail(entry.place, "'\(entry.text)' is no fact of a version: write \(VersionFact.forms)")
            return nil
        }
    }

    /// A selector, or `{select, order}` where of several the latest is meant.
    private func champion(_ tree: Tree?, _ visible: Visible) -> Template? {
        guard let tree else { return nil }
        guard case .map = tree.value else { return textTemplate(tree, "'champion'", visible) }
        guard let fields = fields(tree, of: "'champion'", keys: Self.championKeys) else { return nil }
        _ = word(fields["order"], "'order'", of: ["latest"])
        guard fields["select"] != nil else {
            fail(fields.place, "'champion' needs 'select'")
            return nil
        }
        return textTemplate(fields["select"], "'select'", visible)
    }

    private func stages(_ tree: Tree?, _ names: KnownNames) -> StageMachine {
        var machine = StageMachine(preset: "none", tag: "stage", states: [:])
        guard let tree, let fields = fields(tree, of: "'stages'", keys: Self.stagesKeys) else {
            return machine
        }
        if let preset = word(fields["preset"], "'preset'", of: Self.stagePresets) {
            machine = .preset(preset)
        }
        if let tag = fixedText(fields["tag"], "'tag'") { machine.tag = tag }
        let own = named(fields["states"], of: "'states'")
        let rules = named(fields["rules"], of: "'rules'")
        if !own.isEmpty {
            if fields["preset"] != nil {
                fail(fields.place(of: "states"), "states of a preset are changed with 'rules', not with 'states'")
            }
            machine.preset = "own"
            for entry in own { machine.states[entry.key] = StageRule(many: true) }
        }
        let known = machine.states.keys.sorted()
        for entry in own + rules {
            guard let rule = machine.states[entry.key] else {
                fail(entry.place, "there is no stage '\(entry.key)'" + suggestion(for: entry.key, among: known))
                continue
            }
            machine.states[entry.key] = stageRule(entry.value, changing: rule, known, names)
        }
        return machine
    }

    private func stageRule(_ tree: Tree, changing base: StageRule, _ known: [String], _ names: KnownNames) -> StageRule
    {
        guard let fields = fields(tree, of: "a stage", keys: Self.stageKeys) else {
            return base
        }
        var rule = base
        if let max = word(fields["max"], "'max'", of: ["1", "many"]) { rule.many = max == "many" }
        if let stage = fields["replaced_becomes"], let name = stageName(stage, "'replaced_becomes'", known) {
            rule.replacedBecomes = name
        }
        if fields.has("set_by") { rule.setBy = setters(fields["set_by"], names) }
        if fields.has("from") {
            rule.from = texts(fields["from"], "'from'").compactMap { entry in
                if entry.text == "none" || known.contains(entry.text) { return entry.text }
                fail(
                    entry.place,
                    "there is no stage '\(entry.text)'" + suggestion(for: entry.text, among: known + ["none"]))
                return nil
            }
        }
        return rule
    }

    private func stageName(_ tree: Tree, _ what: String, _ known: [String]) -> String? {
        guard let name = fixedText(tree, what) else { return nil }
        if known.contains(name) { return name }
        fail(tree.place, "there is no stage '\(name)'" + suggestion(for: name, among: known))
        return nil
    }

    private func setters(_ tree: Tree?, _ names: KnownNames) -> [String] {
        texts(tree, "'set_by'").compactMap { entry in
            let parts = entry.text.split(separator: ":", maxSplits: 1).map(String.init)
            switch (parts.first, parts.count > 1 ? parts[1] : nil) {
            case ("user", nil), ("user", _?), ("group", _?): return entry.text
            case ("pipeline", let pipeline?):
                if names.pipelines.contains(pipeline) { return entry.text }
                fail(
                    entry.place,
                    "there is no pipeline '\(pipeline)'" + suggestion(for: pipeline, among: names.pipelines)
                )
            default:
                fail(entry.place, "'\(entry.text)' is none of user, user:NAME, group:NAME, pipeline:NAME")
            }
            return nil
        }
    }
}

extension StageMachine {
    /// `mlflow`: four stages, several versions in each. `trunk`: one staged, one in production, the former ones marked.
    static func preset(_ name: String) -> StageMachine {
        var states: [String: StageRule] = [:]
        switch name {
        case "mlflow":
            for state in ["None", "Staging", "Production", "Archived"] { states[state] = StageRule(many: true) }
        case "trunk":
            states = [
                "staged": StageRule(many: false, replacedBecomes: "unstaged"), "unstaged": StageRule(many: true),
                "production": StageRule(many: false, replacedBecomes: "surpassed"), "surpassed": StageRule(many: true),
            ]
        default: break
        }
        return StageMachine(preset: name, tag: "stage", states: states)
    }
}
