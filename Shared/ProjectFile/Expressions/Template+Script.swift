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
        case .literal, .list, .object: return (try text(in: scope), [:])
        }
        var text = ""
        var variables: [String: String] = [:]
        for part in parts {
            switch part {
            case .text(let literal): text += literal
            case .expression(let expression):
                let value = try expression.evaluate(in: scope).embedded
                if expression.references.contains(where: \.root.isForeign) {
                    let name = "MARTLET_VALUE_\(variables.count + 1)"
                    variables[name] = value
                    text += "${\(name)}"
                } else {
                    text += value
                }
            }
        }
        return (text, variables)
    }
}

extension Expression.Root {
    /// Whether its values may come from outside the project file.
    fileprivate var isForeign: Bool {
        switch self {
        case .project, .vars, .secrets, .model, .env, .matrix, .job: false
        case .event, .git, .run, .params, .needs, .steps, .upstream: true
        }
    }
}
