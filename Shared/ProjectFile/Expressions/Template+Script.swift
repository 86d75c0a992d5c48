import Messages

extension Template {
    /// A shell script, and the variables it needs.
    ///
    /// What strangers write (a commit's message, a branch's name, a step's output) never becomes part of the script's
    /// text: it is handed over as a variable, so it is data to the shell, whatever it holds. What stands in the project
    /// file itself is put in as it is.
    package func script(in scope: Scope) throws(EvaluationError) -> (text: String, variables: [String: String]) {
        let parts: [Part]
        switch self {
        case .text(let several): parts = several
        case .expression(let one): parts = [.expression(one)]
        case .literal: return (try text(in: scope), [:])
        case .list, .object:
            // Its JSON would be the script's text.
            if let foreign = references.first(where: scope.isForeign) {
                throw EvaluationError(message: "a script is one text, and this is none: '\(foreign.text)' is in it")
            }
            return (try text(in: scope), [:])
        }
        var text = ""
        var variables: [String: String] = [:]
        for part in parts {
            switch part {
            case .text(let literal): text += literal
            case .expression(let expression):
                let value = try expression.evaluate(in: scope).embedded
                if expression.references.contains(where: scope.isForeign) {
                    let name = "MARTLET_VALUE_\(variables.count + 1)"
                    variables[name] = try Self.data(value)
                    text += "${\(name)}"
                } else {
                    text += value
                }
            }
        }
        return (text, variables)
    }
}

extension Job {
    /// `job.NAME` and `matrix.NAME` whose values stand in the project file, whatever happens.
    package var ownNames: Set<String> {
        var templates: [String: [Template]] = ["job.id": [], "job.name": []]
        for (name, template) in with { templates["job.\(name)"] = [template] }
        for axis in matrix?.axes ?? [] { templates["matrix.\(axis.name)", default: []] += axis.values }
        for entry in matrix?.include ?? [] {
            for (name, template) in entry { templates["matrix.\(name)", default: []].append(template) }
        }
        var scope = Scope()
        // `with` sees the matrix, and the matrix no `with`.
        for prefix in ["matrix.", "job."] {
            let own = templates.filter { name, values in
                name.hasPrefix(prefix) && !values.flatMap(\.references).contains(where: scope.isForeign)
            }
            scope.own.formUnion(own.keys)
        }
        return scope.own
    }
}

extension Scope {
    /// Whether a value may come from outside the project file.
    func isForeign(_ reference: Expression.Reference) -> Bool {
        switch reference.root {
        case .project, .vars, .secrets, .model, .env: false
        case .event, .git, .run, .params, .needs, .steps, .upstream: true
        case .matrix, .job: !own.contains(reference.path.prefix(1).reduce(reference.root.rawValue) { "\($0).\($1)" })
        }
    }
}
