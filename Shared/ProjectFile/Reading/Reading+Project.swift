import Messages

/// Every name that the files declare, whether or not what it names can be read.
struct KnownNames {
    var variables: Set<String>?
    var environments: [String]
    var backends: [String]
    var targets: [String]
    var pipelines: [String]
    /// The stages of all models; `nil` where a model declares none.
    var stages: Set<String>?

    var visible: Visible { .project(variables: variables) }
}

extension Reading {
    func project(_ sections: Sections, repositoryName: String, start: Place, digest: String) -> Project {
        let open = sections.single["variables.files"] != nil || !sections.groups.isEmpty
        var names = KnownNames(
            variables: open ? nil : Set(sections.names("variables")),
            environments: sections.names("environments"), backends: sections.names("backends") + ["local"],
            targets: sections.names("targets"), pipelines: sections.names("pipelines"), stages: nil
        )
        let name = fixedText(sections.single["project"], "'project'") ?? repositoryName
        let models = models(sections, names)
        names.stages = models.contains { $0.stages.states.isEmpty } ? nil : Set(models.flatMap(\.stages.states.keys))
        var backends = backends(sections.named["backends"] ?? [], names)
        if backends["local"] == nil {
            backends["local"] = Backend(name: "local", kind: "local", wait: "poll", settings: .literal([:]))
        }
        if sections.single["project"] != nil, !isName(name), !name.isEmpty,
            let place = sections.single["project"]?.place
        {
            fail(place, "'\(name)' is no name: letters, digits, '_', '-' and '.' are allowed, at most 100")
        }
        return Project(
            name: name, models: models, variables: variables(sections, open: open),
            variableFiles: variableFiles(sections, names),
            variableGroups: sections.groups.flatMap { texts($0, "'variable_groups'").map(\.text) },
            environments: environments(sections.named["environments"] ?? [], names), backends: backends,
            targets: targets(sections.named["targets"] ?? [], names),
            notifications: sections.notify.compactMap { notification($0, names) },
            pipelines: pipelines(sections, names, start), digest: digest
        )
    }

    private func variables(_ sections: Sections, open: Bool) -> [Variable] {
        var above: Set<String> = []
        return (sections.named["variables"] ?? []).map { entry in
            let visible = Visible(roots: [.project, .vars, .env], variables: open ? nil : above)
            above.insert(entry.key)
            return Variable(name: entry.key, value: template(entry.value, visible))
        }
    }

    private func variableFiles(_ sections: Sections, _ names: KnownNames) -> [Template] {
        guard let tree = sections.single["variables.files"], case .list(let files) = tree.value else { return [] }
        return files.compactMap { textTemplate($0, "each of 'variables.files'", names.visible.without([.secrets])) }
    }

    private func pipelines(_ sections: Sections, _ names: KnownNames, _ start: Place) -> [Pipeline] {
        let entries = sections.named["pipelines"] ?? []
        if entries.isEmpty, errors.isEmpty { fail(start, "there is no pipeline: say 'pipelines:'") }
        return entries.compactMap { pipeline($0, names) }
    }
}
