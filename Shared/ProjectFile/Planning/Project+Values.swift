import Messages

extension Project {
    /// The variables' values. They may use `project`, the environment's name and the variables above them.
    ///
    /// Weakest first: what the file says, the operator's groups, `.env` files in their order, the operator's own word.
    package func variableValues(environment: String? = nil) throws(EvaluationError) -> [String: JSONValue] {
        var stronger = groupValues
        for template in variableFiles {
            guard let path = variablePath(template, environment) else { continue }
            stronger.merge(variableTexts[path] ?? [:]) { $1 }
        }
        stronger.merge(overridingValues) { $1 }
        var values = stronger
        for variable in variables where stronger[variable.name] == nil {
            values[variable.name] = try variable.value.evaluate(in: scope(values, environment))
        }
        return values
    }

    /// The variables that it declares, has from its files, or uses in a pipeline or for an environment.
    package var variableNames: Set<String> {
        let used = pipelines.flatMap(\.references) + environments.values.compactMap(\.enabled).flatMap(\.references)
        return Set(variables.map(\.name)).union(variableTexts.values.flatMap(\.keys)).union(
            used.filter { $0.root == .vars }.compactMap(\.path.first))
    }

    /// Every `.env` file that some environment may name.
    package var variablePaths: [String] {
        var found: [String] = []
        for path in variableFiles.flatMap(paths) where !found.contains(path) && Self.isInRepository(path) {
            found.append(path)
        }
        return found
    }

    /// What an entry of `variables.files` names, with each environment that takes part in it.
    func paths(of template: Template) -> [String] {
        let names: [String?] = [nil] + environments.keys.sorted().map(Optional.some)
        return names.compactMap { variablePath(template, $0) }
    }

    /// It becomes an argument of git, and in a folder a file's name: nothing leads out, nor is it more than a name.
    static func isInRepository(_ path: String) -> Bool {
        !path.isEmpty && !path.hasPrefix("/") && !path.hasPrefix(":") && !path.contains("\0")
            && !path.split(separator: "/").contains("..") && !ProjectReader.isProjectFile(path)
    }

    /// `nil` where the path needs an environment and there is none.
    private func variablePath(_ template: Template, _ environment: String?) -> String? {
        if environment == nil, template.references.contains(where: { $0.root == .env }) { return nil }
        return try? template.text(in: scope([:], environment))
    }

    /// What is known before there is a cause: project, variables, environment and model.
    package func baseScope(
        environment: String? = nil, variables: [String: JSONValue]? = nil
    ) throws(EvaluationError) -> Scope {
        let values: [String: JSONValue]
        if let variables { values = variables } else { values = try variableValues(environment: environment) }
        var scope = scope(values, environment)
        if let model = models.first {
            scope.model = ["name": .string(try model.name.text(in: scope))]
            if let champion = model.champion {
                scope.model = [
                    "name": .string(try model.name.text(in: scope)),
                    "champion": .string(try champion.text(in: scope)),
                ]
            }
        }
        return scope
    }

    /// The models with their names and selectors evaluated; the first is the main one.
    package func modelDeclarations(environment: String? = nil) throws(EvaluationError) -> [ModelDeclaration] {
        let scope = scope(try variableValues(environment: environment), environment)
        var declarations: [ModelDeclaration] = []
        for model in models {
            declarations.append(
                ModelDeclaration(
                    name: try model.name.text(in: scope), champion: try model.champion?.text(in: scope),
                    stages: model.stages,
                    requires: model.requires.isEmpty ? nil : model.requires.map(\.description), score: model.score
                )
            )
        }
        return declarations
    }

    /// `notify:` for the notifier: a secret travels as its name only.
    package func notificationRules(in scope: Scope) throws(EvaluationError) -> [NotificationRule] {
        var rules: [NotificationRule] = []
        for entry in notifications {
            let channel = try entry.channel?.handed(in: scope)
            let secret = channel.flatMap { SecretReference.name(in: $0) }
            rules.append(
                NotificationRule(
                    when: entry.when, use: entry.use, secret: secret,
                    channel: secret == nil ? channel?.embedded : nil, pipelines: entry.pipelines
                )
            )
        }
        return rules
    }

    /// `targets:` with `kind` and expressions evaluated; `scope` should hold `git` as well.
    package func targetValues(in scope: Scope) throws(EvaluationError) -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        for (name, target) in targets { values[name] = try target.settings.handed(in: scope) }
        return values
    }

    func modelNames(for pipeline: Pipeline) -> [String] {
        let declarations = try? modelDeclarations(environment: pipeline.environment)
        return declarations?.map(\.name) ?? []
    }

    private func scope(_ variables: [String: JSONValue], _ environment: String?) -> Scope {
        Scope(
            project: name, vars: .object(variables), env: environment.map { ["name": .string($0)] } ?? [:]
        )
    }
}
