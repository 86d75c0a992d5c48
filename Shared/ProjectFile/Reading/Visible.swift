import Messages

/// The names that an expression may use where it stands.
struct Visible {
    var roots: Set<Expression.Root>
    /// In which pipeline it stands; `nil`: in none.
    var pipeline: String?
    /// `nil`: some come from files or groups, so that any name may be one.
    var variables: Set<String>?
    /// `nil`: the file does not list them.
    var secrets: Set<String>?
    var parameters: Set<String> = []
    /// The outputs of the jobs that this one needs.
    var needs: [String: Set<String>] = [:]
    /// Every job, so that one that is only not needed can be told from one that is not there.
    var jobs: Set<String> = [] {
        didSet { sortedJobs = jobs.sorted() }
    }
    private(set) var sortedJobs: [String] = []
    var steps: Set<String> = []
    /// Named steps that come later or at the same time.
    var laterSteps: Set<String> = []
    var matrix: Set<String> = []
    var job: Set<String> = []

    /// Before there is a cause.
    static func project(variables: Set<String>?) -> Visible {
        Visible(roots: [.project, .vars, .env, .git, .model, .secrets], variables: variables)
    }

    func adding(_ more: Set<Expression.Root>) -> Visible {
        var copy = self
        copy.roots.formUnion(more)
        return copy
    }

    func without(_ fewer: Set<Expression.Root>) -> Visible {
        var copy = self
        copy.roots.subtract(fewer)
        return copy
    }
}

extension Reading {
    func check(_ template: Template, _ visible: Visible) {
        if case .expression(.reference(let secret)) = template, secret.root == .secrets {
            check(secret, visible)
            return
        }
        for reference in template.references {
            if reference.root == .secrets {
                fail(
                    reference.place,
                    "'\(reference.text)' must stand alone: a secret is handed on by name and never part of a text"
                )
            } else {
                check(reference, visible)
            }
        }
    }

    private func check(_ reference: Expression.Reference, _ visible: Visible) {
        let root = reference.root
        guard visible.roots.contains(root) else {
            fail(reference.place, "'\(root.rawValue)' is not known here" + Self.reason(for: root))
            return
        }
        switch root {
        case .project:
            if !reference.path.isEmpty {
                fail(reference.place, "'project' is a text: it has no '\(reference.path[0])'")
            }
        case .secrets:
            if reference.path.count != 1 {
                fail(reference.place, "a secret is named secrets.NAME")
            } else if let known = visible.secrets {
                member(reference, of: known, "secret")
            }
        case .vars:
            if let known = visible.variables { member(reference, of: known, "variable") }
        case .params: member(reference, of: visible.parameters, "parameter")
        case .matrix: member(reference, of: visible.matrix, "matrix value")
        case .job: member(reference, of: visible.job, "value in the job's 'with'")
        case .needs: checkNeeds(reference, visible)
        case .steps: checkSteps(reference, visible)
        case .git, .run, .env, .model, .upstream:
            if let name = reference.path.first, let known = root.members {
                if !known.contains(name) {
                    fail(reference.place, "unknown reference '\(reference.text)'" + suggestion(for: name, among: known))
                }
            }
            if root == .upstream { noteUpstream(reference, in: visible.pipeline) }
        case .event: break
        }
    }

    private static func reason(for root: Expression.Root) -> String {
        switch root {
        case .steps: ": only steps, and outputs of their job, see steps"
        case .needs: ": only jobs see what they need"
        case .matrix: ": the job has no matrix"
        case .params, .event, .run, .upstream, .job: ": there is no run yet"
        case .secrets: ": a secret only goes to a step, a target, a back end or a channel"
        case .project, .git, .vars, .model, .env: ""
        }
    }

    private func member(_ reference: Expression.Reference, of known: Set<String>, _ what: String) {
        guard let name = reference.path.first else { return }
        if known.contains(name) { return }
        fail(
            reference.place,
            "unknown reference '\(reference.text)': there is no \(what) '\(name)'"
                + suggestion(for: name, among: known.sorted())
        )
    }

    private func checkNeeds(_ reference: Expression.Reference, _ visible: Visible) {
        guard let job = reference.path.first else { return }
        guard let outputs = visible.needs[job] else {
            let message =
                visible.jobs.contains(job)
                ? "'\(reference.text)': this job does not say that it needs '\(job)'"
                : "unknown reference '\(reference.text)': there is no job '\(job)'"
                    + suggestion(for: job, among: visible.needs.keys.sorted())
            fail(reference.place, message)
            return
        }
        guard reference.path.count > 1, !outputs.contains(reference.path[1]),
            !["outcome", "approval"].contains(reference.path[1])
        else { return }
        fail(
            reference.place,
            "unknown reference '\(reference.text)': job '\(job)' has no output '\(reference.path[1])'"
                + suggestion(for: reference.path[1], among: outputs.sorted())
        )
    }

    private func checkSteps(_ reference: Expression.Reference, _ visible: Visible) {
        guard let step = reference.path.first, !visible.steps.contains(step) else { return }
        let message =
            visible.laterSteps.contains(step)
            ? "'\(reference.text)': step '\(step)' comes later"
            : "unknown reference '\(reference.text)': there is no step '\(step)' before this one"
                + suggestion(for: step, among: visible.steps.sorted())
        fail(reference.place, message)
    }
}
