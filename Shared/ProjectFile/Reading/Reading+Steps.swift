import Messages

/// What the steps of one job share.
struct StepSetting {
    var job: [String: Template]
    var defaults: [String: Template]
    var names: KnownNames
}

extension Reading {
    static let stepKeys = [
        "id", "name", "if", "run", "uses", "with", "env", "continue_on_error", "timeout",
    ]
    static let stepSynonyms = ["script": "run", "task": "uses", "inputs": "with", "condition": "if"]

    func steps(_ job: Fields, _ visible: Visible, _ setting: StepSetting) -> [Step] {
        guard let tree = job["steps"] else {
            fail(job.place, "\(job.what) has no steps")
            return []
        }
        guard case .list(let items) = tree.value else {
            fail(tree.place, "'steps' is a list of steps, not \(tree.kindInWords)")
            return []
        }
        if items.isEmpty {
            fail(tree.place, "'steps' is empty: \(job.what) needs at least one step")
            return []
        }
        let read = items.map { item in
            fields(item, of: "a step", keys: Self.stepKeys, synonyms: Self.stepSynonyms)
        }
        var visible = visible
        visible.laterSteps = Set(read.compactMap { $0?["id"]?.text })
        var ids: Set<String> = []
        var steps: [Step] = []
        for (index, fields) in read.enumerated() {
            guard let fields else { continue }
            let id = stepID(fields, index)
            if !ids.insert(id).inserted {
                fail(fields["id"]?.place ?? fields.place, "step '\(id)' is in \(job.what) already")
            }
            steps.append(step(id, fields, visible, setting))
            if fields["id"] != nil {
                visible.steps.insert(id)
                visible.laterSteps.remove(id)
            }
        }
        return steps
    }

    private func stepID(_ fields: Fields, _ index: Int) -> String {
        let own = "step-\(index + 1)"
        guard let tree = fields["id"], let id = fixedText(tree, "'id'") else { return own }
        if isIdentifier(id) { return id }
        fail(tree.place, "'\(id)' is no name for a step: a letter first, then letters, digits, '_', '-'")
        return own
    }

    private func step(_ id: String, _ fields: Fields, _ visible: Visible, _ setting: StepSetting) -> Step {
        if fields["run"] != nil, fields["uses"] != nil {
            fail(fields.place(of: "uses"), "a step has 'run' or 'uses', not both")
        } else if fields["run"] == nil, fields["uses"] == nil {
            fail(fields.place, "a step needs 'run' or 'uses'")
        }
        for key in ["run", "uses"] where fields.has(key) && fields[key] == nil {
            fail(fields.place(of: key), "'\(key)' is a text, not nothing")
        }
        let script = fields["run"].flatMap { text($0, "'run'") }
        let verb = fields["uses"].flatMap { fixedText($0, "'uses'") } ?? "run"
        var members: [String: Template] = [:]
        if let with = fields["with"] {
            if case .map(let entries) = with.value {
                members = templates(entries, visible)
            } else {
                fail(with.place, "'with' is a map, not \(with.kindInWords)")
            }
        }
        if let tree = fields["run"] { members["script"] = template(tree, visible, raw: true) }
        if let uses = fields["uses"] {
            for (name, value) in setting.defaults where members[name] == nil && Verbs.knows(verb, name) {
                members[name] = value
            }
            check(verb, uses, fields["with"], members, setting)
        }
        return Step(
            id: id, title: text(fields["name"], "'name'") ?? Self.title(verb, script),
            condition: condition(fields["if"], visible), verb: verb, with: .object(members),
            env: templates(fields["env"], of: "'env'", visible, raw: true),
            continueOnError: flag(fields["continue_on_error"], "'continue_on_error'") ?? false,
            timeout: duration(fields["timeout"], "'timeout'")
        )
    }

    private static func title(_ verb: String, _ script: String?) -> String {
        guard let script else { return verb }
        let first = script.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) }
        return String((first ?? "run").prefix(100))
    }

    /// The verb, what it needs, and the names in its `with`.
    private func check(
        _ verb: String, _ uses: Tree, _ with: Tree?, _ members: [String: Template], _ setting: StepSetting
    ) {
        guard let text = Verbs.keys[verb] else {
            checkForeign(verb, uses)
            return
        }
        let names = Verbs.names(in: text)
        var places: [String: Place] = [:]
        var given: [Tree.Entry] = []
        if let with, case .map(let entries) = with.value {
            given = entries
            for entry in entries {
                places[entry.key] = entry.value.place
                if names.contains(entry.key) { continue }
                fail(entry.place, "'\(verb)' knows no '\(entry.key)'" + suggestion(for: entry.key, among: names))
            }
        }
        for name in Verbs.required(in: text) where members[name] == nil {
            fail(with?.place ?? uses.place, "'\(verb)' needs '\(name)'")
        }
        for (name, known) in Verbs.words[verb] ?? [:] {
            guard let place = places[name], let member = members[name] else { continue }
            switch member {
            case .object where Verbs.maps[verb]?.contains(name) == true: break
            case .list, .object: fail(place, "'\(name)' of '\(verb)' is one of \(known.joined(separator: ", "))")
            case .literal, .expression, .text: break
            }
            guard let value = member.literalText, !known.contains(value) else { continue }
            fail(place, "'\(name)' of '\(verb)' cannot be '\(value)'" + suggestion(for: value, among: known))
        }
        warn(verb: verb, at: uses.place, with: given)
        checkNames(verb, members, places, uses.place, setting)
        if verb == "pipeline/start" { noteStart(members, with, uses.place, setting) }
    }

    private func checkForeign(_ verb: String, _ uses: Tree) {
        let parts = verb.split(separator: "/", omittingEmptySubsequences: false)
        let known = Verbs.keys.keys.sorted()
        let isVendors =
            parts.count == 2 && !Verbs.prefixes.contains(parts[0]) && parts.allSatisfy { isName(String($0)) }
        if isVendors, nearest(to: verb, among: known) == nil { return }
        let hint = suggestion(for: verb, among: known)
        fail(uses.place, "unknown verb '\(verb)'" + (hint.isEmpty ? "; others' verbs are VENDOR/VERB" : hint))
    }

    /// Names of the file in a step's `with`, as far as they are not chosen at run time.
    private func checkNames(
        _ verb: String, _ members: [String: Template], _ places: [String: Place], _ step: Place, _ setting: StepSetting
    ) {
        func check(_ key: String, _ known: [String], _ what: String) {
            guard let name = members[key].flatMap({ settled($0, setting)?.scalarText }) else { return }
            self.known(name, at: places[key] ?? step, among: known, what)
        }
        let names = setting.names
        if verb.hasPrefix("deploy/") { check("target", names.targets, "target") }
        if verb.hasPrefix("train/") || verb.hasPrefix("infra/") { check("backend", names.backends, "back end") }
        if verb == "pipeline/start" || verb == "artifact/fetch" { check("pipeline", names.pipelines, "pipeline") }
        guard verb.hasPrefix("registry/") || verb.hasPrefix("evaluate/"), let stages = names.stages else { return }
        if verb == "registry/transition" {
            check("to", stages.sorted() + ["none"], "stage")
            check("expect", stages.sorted() + ["none"], "stage")
        }
        for key in ["select", "champion", "challenger", "version"] {
            guard let text = members[key].flatMap({ settled($0, setting)?.scalarText }), text.hasPrefix("stage=")
            else { continue }
            let stage = String(text.dropFirst("stage=".count))
            known(stage, at: places[key] ?? step, among: stages.sorted(), "stage")
        }
    }

    /// The value that it has whatever happens: its own, or that of the job's `with`.
    func settled(_ template: Template, _ setting: StepSetting) -> JSONValue? {
        if case .expression(.reference(let reference)) = template, reference.root == .job,
            let name = reference.path.first, reference.path.count == 1
        {
            return setting.job[name]?.literal
        }
        return template.literal
    }
}
