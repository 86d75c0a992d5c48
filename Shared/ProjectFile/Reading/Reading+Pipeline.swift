import Messages

extension Reading {
    static let pipelineKeys = [
        "name", "description", "on", "parameters", "environment", "concurrency", "defaults", "env", "jobs", "pr",
    ]
    static let pipelineSynonyms = ["trigger": "on"]
    static let concurrencyKeys = ["group", "max", "on_conflict"]
    static let parameterKeys = ["type", "required", "default", "options", "label", "description"]

    func pipeline(_ entry: Tree.Entry, _ names: KnownNames) -> Pipeline? {
        guard
            let fields = fields(
                entry.value, of: "pipeline '\(entry.key)'", keys: Self.pipelineKeys,
                synonyms: Self.pipelineSynonyms
            )
        else { return nil }
        var names = names
        names.pipeline = entry.key
        var triggers = triggers(fields["on"], names)
        if let pr = fields["pr"] { triggers += pullRequest(pr).map { [$0] } ?? [] }
        _ = text(fields["description"], "'description'")
        let parameters = parameters(fields["parameters"], names)
        let manual = triggers.flatMap { trigger -> [Parameter] in
            if case .manual(let own) = trigger { own } else { [] }
        }
        for twice in manual where parameters.contains(where: { $0.name == twice.name }) {
            fail(fields.place(of: "parameters"), "parameter '\(twice.name)' is under 'on: manual' as well")
        }
        var visible = names.visible.adding([.event, .run, .params, .upstream]).without([.secrets])
        visible.parameters = Set((parameters + manual).map(\.name))
        return Pipeline(
            name: entry.key, title: text(fields["name"], "'name'"), triggers: triggers, parameters: parameters,
            environment: environment(fields["environment"], names),
            concurrency: concurrency(fields["concurrency"], visible),
            env: templates(fields["env"], of: "'env'", visible.adding([.secrets]), raw: true),
            defaults: templates(fields["defaults"], of: "'defaults'", visible),
            jobs: jobs(fields, visible, names)
        )
    }

    func environment(_ tree: Tree?, _ names: KnownNames) -> String? {
        guard let tree, let name = fixedText(tree, "'environment'") else { return nil }
        if names.environments.contains(name) { return name }
        fail(tree.place, "there is no environment '\(name)'" + suggestion(for: name, among: names.environments))
        return nil
    }

    private func concurrency(_ tree: Tree?, _ visible: Visible) -> Concurrency? {
        guard let tree else { return nil }
        if case .scalar = tree.value {
            return textTemplate(tree, "'concurrency'", visible).map { Concurrency(group: $0) }
        }
        guard let fields = fields(tree, of: "'concurrency'", keys: Self.concurrencyKeys) else { return nil }
        guard let group = fields["group"] else {
            fail(fields.place, "'concurrency' needs 'group'")
            return nil
        }
        return Concurrency(
            group: textTemplate(group, "'group'", visible) ?? .literal(""),
            max: integer(fields["max"], "'max'", 1...10_000) ?? 1,
            onConflict: word(fields["on_conflict"], "'on_conflict'", Concurrency.OnConflict.self) ?? .queue
        )
    }

    func parameters(_ tree: Tree?, _ names: KnownNames) -> [Parameter] {
        named(tree, of: "'parameters'").compactMap { parameter($0, names) }
    }

    /// Type words of MLproject files mean the same here.
    static let kinds: [String: Parameter.Kind] = [
        "string": .string, "path": .string, "uri": .string, "number": .number, "float": .number, "double": .number,
        "int": .number, "integer": .number, "long": .number, "boolean": .boolean, "bool": .boolean,
        "choice": .choice, "model-version": .modelVersion,
    ]

    private func parameter(_ entry: Tree.Entry, _ names: KnownNames) -> Parameter? {
        guard isIdentifier(entry.key) else {
            fail(
                entry.place, "'\(entry.key)' is no name for a parameter: a letter first, then letters, digits, '_', '-'"
            )
            return nil
        }
        guard let fields = fields(entry.value, of: "parameter '\(entry.key)'", keys: Self.parameterKeys) else {
            return nil
        }
        let kindName = word(fields["type"], "'type'", of: Self.kinds.keys.sorted())
        let options = options(fields["options"])
        let kind = kindName.flatMap { Self.kinds[$0] } ?? (options.isEmpty ? .string : .choice)
        if kind == .choice, options.isEmpty {
            fail(fields.place, "parameter '\(entry.key)' is a choice and needs 'options'")
        } else if kind != .choice, !options.isEmpty {
            fail(fields.place(of: "options"), "'options' belong to 'type: choice'")
        }
        let visible = Visible(roots: [.project, .vars, .env, .git, .model], variables: names.variables)
        let isText = kind == .modelVersion || kind == .string
        let parameter = Parameter(
            name: entry.key, kind: kind, required: flag(fields["required"], "'required'") ?? false,
            default: fields["default"].map { template($0, visible, raw: isText) }, options: options,
            label: text(fields["label"], "'label'"), description: text(fields["description"], "'description'")
        )
        if case .literal(let value)? = parameter.default, let place = fields["default"]?.place {
            do {
                _ = try parameter.typed(value)
            } catch {
                fail(place, "default of " + error.message)
            }
        }
        return parameter
    }

    private func options(_ tree: Tree?) -> [JSONValue] {
        guard let tree else { return [] }
        guard case .list(let items) = tree.value else {
            fail(tree.place, "'options' is a list, not \(tree.kindInWords)")
            return []
        }
        return items.compactMap { item in
            if let value = item.scalar, value != .null { return value }
            fail(item.place, "each of 'options' is a text, a number or a boolean, not \(item.kindInWords)")
            return nil
        }
    }
}
