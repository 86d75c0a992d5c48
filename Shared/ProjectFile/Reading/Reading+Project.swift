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
    /// It can be told of some model which version is to beat.
    var hasChampion = false

    /// `nil`: any name may be one, because the file does not list them.
    var secrets: Set<String>?
    /// That is being read.
    var pipeline: String?

    var visible: Visible {
        var visible = Visible.project(variables: variables)
        visible.secrets = secrets
        visible.pipeline = pipeline
        return visible
    }
}

extension Reading {
    func project(_ sections: Sections, repositoryName: String, start: Place, digest: String) -> Project {
        let files = variableFiles(sections)
        // With the files at hand it is known which variables there are.
        let open = !sections.groups.isEmpty || !files.isEmpty && sections.variableTexts.isEmpty
        let fromFiles = Set(sections.variableTexts.values.flatMap(\.keys))
        var names = KnownNames(
            variables: open ? nil : fromFiles.union(sections.names("variables")),
            environments: sections.names("environments"), backends: sections.names("backends") + ["local"],
            targets: sections.names("targets"), pipelines: sections.names("pipelines"), stages: nil
        )
        if let tree = sections.single["secrets"] { names.secrets = secrets(tree) }
        _ = text(sections.single["description"], "'description'")
        let name = fixedText(sections.single["project"], "'project'") ?? repositoryName
        let models = models(sections, names)
        names.hasChampion = models.contains(where: \.hasWatchedChampion)
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
        let project = Project(
            name: name, models: models, variables: variables(sections, known: open ? nil : fromFiles),
            variableFiles: files.map(\.path), variableTexts: sections.variableTexts,
            variableGroups: sections.groups.flatMap { texts($0, "'variable_groups'").map(\.text) },
            environments: environments(sections.named["environments"] ?? [], names), backends: backends,
            targets: targets(sections.named["targets"] ?? [], names),
            notifications: sections.notify.compactMap { notification($0, names) },
            pipelines: pipelines(sections, names, start), secrets: names.secrets ?? [], digest: digest
        )
        for file in files where !project.paths(of: file.path).allSatisfy(Project.isInRepository) {
            fail(file.place, "each of 'variables.files' is a .env file of the repository")
        }
        return project
    }

    /// - Parameter known: variables from elsewhere; `nil`: any name may be one.
    private func variables(_ sections: Sections, known: Set<String>?) -> [Variable] {
        var above = known ?? []
        return (sections.named["variables"] ?? []).map { entry in
            let visible = Visible(roots: [.project, .vars, .env], variables: known == nil ? nil : above)
            above.insert(entry.key)
            return Variable(name: entry.key, value: template(entry.value, visible))
        }
    }

    private func variableFiles(_ sections: Sections) -> [(place: Place, path: Template)] {
        guard let tree = sections.single["variables.files"], case .list(let files) = tree.value else { return [] }
        let visible = Visible(roots: [.project, .env], variables: [])
        return files.compactMap { file in
            textTemplate(file, "each of 'variables.files'", visible).map { (file.place, $0) }
        }
    }

    private func pipelines(_ sections: Sections, _ names: KnownNames, _ start: Place) -> [Pipeline] {
        let entries = sections.named["pipelines"] ?? []
        if entries.isEmpty, errors.isEmpty { fail(start, "there is no pipeline: say 'pipelines:'") }
        let pipelines = entries.compactMap { pipeline($0, names) }
        checkStarts(of: pipelines)
        checkUpstreams(of: pipelines)
        checkCircles(of: pipelines, entries)
        return pipelines
    }

    /// Pipelines that wait for each other's ends would start each other until the depth limit stops them.
    private func checkCircles(of pipelines: [Pipeline], _ entries: [Tree.Entry]) {
        let nodes = pipelines.map { (name: $0.name, needs: $0.followed) }
        guard let cycle = cycle(among: nodes), let entry = entries.first(where: { $0.key == cycle[0] }) else { return }
        fail(entry.place, "pipelines start each other: " + cycle.reversed().joined(separator: " → "))
    }

    private func secrets(_ tree: Tree) -> Set<String> {
        Set(
            texts(tree, "'secrets'").compactMap { entry in
                if isIdentifier(entry.text) { return entry.text }
                fail(
                    entry.place,
                    "'\(entry.text)' is no name for a secret: a letter first, then letters, digits, '_', '-'")
                return nil
            })
    }
}
