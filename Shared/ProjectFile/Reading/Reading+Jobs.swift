import Messages

extension Reading {
    static let jobKeys = [
        "name", "description", "needs", "if", "environment", "matrix", "retry", "timeout", "recheck", "env", "with",
        "outputs", "steps", "strategy",
    ]
    static let jobSynonyms = ["dependsOn": "needs", "condition": "if"]
    static let retryKeys = ["max", "backoff"]
    static let recheckKeys = ["champion_unchanged"]
    static let strategyKeys = ["matrix", "max_parallel"]
    static let strategySynonyms = ["max-parallel": "max_parallel", "maxParallel": "max_parallel"]

    func jobs(_ pipeline: Fields, _ visible: Visible, _ names: KnownNames) -> [Job] {
        let entries = named(pipeline["jobs"], of: "'jobs'")
        if entries.isEmpty, pipeline["jobs"].map({ !$0.isEmpty }) ?? true {
            fail(pipeline.place, "\(pipeline.what) has no jobs")
        }
        var read: [(entry: Tree.Entry, fields: Fields)] = []
        for entry in entries {
            guard isIdentifier(entry.key) else {
                fail(entry.place, "'\(entry.key)' is no name for a job: a letter first, then letters, digits, '_', '-'")
                continue
            }
            let what = "job '\(entry.key)'"
            guard
                let fields = fields(entry.value, of: what, keys: Self.jobKeys, synonyms: Self.jobSynonyms)
            else { continue }
            read.append((entry, fields))
        }
        // Outputs first, because a job may need one that stands below it.
        let outputs = Dictionary(read.map { ($0.entry.key, outputNames($0.fields)) }) { $1 }
        var visible = visible
        visible.jobs = Set(entries.map(\.key))
        let defaults = templates(pipeline["defaults"], of: "'defaults'", visible)
        let jobs = read.map { job($0.entry.key, $0.fields, outputs, visible, names, defaults) }
        checkCycles(jobs, read.map(\.fields))
        for (job, fields) in zip(jobs, read.map(\.fields)) where job.recheck != nil {
            let known = job.comparedSelector(among: jobs).map { $0 != Model.unwatched } ?? names.hasChampion
            if known { continue }
            failIfNew(
                fields.place(of: "recheck"),
                "'recheck' needs a champion that can be watched: a 'champion' of the model, and not 'current'")
        }
        return jobs
    }

    private func outputNames(_ fields: Fields) -> Set<String> {
        guard let tree = fields["outputs"], case .map(let entries) = tree.value else { return [] }
        return Set(entries.map(\.key))
    }

    private func job(
        _ id: String, _ fields: Fields, _ outputs: [String: Set<String>], _ pipeline: Visible, _ names: KnownNames,
        _ defaults: [String: Template]
    ) -> Job {
        var visible = pipeline.adding([.needs])
        let needs = texts(fields["needs"], "'needs'").compactMap { entry -> String? in
            if entry.text == id {
                fail(entry.place, "job '\(id)' cannot need itself")
                return nil
            }
            if visible.jobs.contains(entry.text) { return entry.text }
            fail(
                entry.place, "there is no job '\(entry.text)'" + suggestion(for: entry.text, among: visible.sortedJobs))
            return nil
        }
        visible.needs = Dictionary(needs.map { ($0, outputs[$0] ?? []) }) { $1 }
        let condition = condition(fields["if"], visible)
        // A run is laid out before any job of it has ended.
        let matrix = matrix(fields, taken ? visible : visible.without([.needs]))
        if let matrix {
            visible.roots.insert(.matrix)
            visible.matrix = Set(matrix.axes.map(\.name) + matrix.include.flatMap(\.keys))
        }
        let with = templates(fields["with"], of: "'with'", visible)
        visible.roots.formUnion([.job, .steps, .secrets])
        visible.job = Set(with.keys).union(["id", "name"])
        _ = text(fields["description"], "'description'")
        let setting = StepSetting(job: with, defaults: defaults, names: names)
        let steps = steps(fields, visible, setting)
        visible.steps = Set(steps.map(\.id))
        return Job(
            id: id, title: text(fields["name"], "'name'"), needs: needs, condition: condition,
            environment: environment(fields["environment"], names), matrix: matrix, retry: retry(fields["retry"]),
            timeout: duration(fields["timeout"], "'timeout'"), recheck: recheck(fields["recheck"], visible),
            env: templates(fields["env"], of: "'env'", visible, raw: true), with: with,
            outputs: templates(fields["outputs"], of: "'outputs'", visible.without([.secrets])), steps: steps
        )
    }

    private func retry(_ tree: Tree?) -> Retry? {
        guard let tree else { return nil }
        if case .scalar = tree.value {
            return integer(tree, "'retry'", 0...100).map { Retry(max: $0, backoff: .seconds(1)) }
        }
        guard let fields = fields(tree, of: "'retry'", keys: Self.retryKeys) else { return nil }
        return Retry(
            max: integer(fields["max"], "'max'", 0...100) ?? 1,
            backoff: duration(fields["backoff"], "'backoff'") ?? .seconds(1)
        )
    }

    private func recheck(_ tree: Tree?, _ visible: Visible) -> Recheck? {
        guard let tree, let fields = fields(tree, of: "'recheck'", keys: Self.recheckKeys) else { return nil }
        guard let champion = fields["champion_unchanged"] else {
            fail(fields.place, "'recheck' needs 'champion_unchanged'")
            return nil
        }
        return Recheck(championUnchanged: template(champion, visible.without([.steps, .secrets]), raw: true))
    }

    /// `matrix:`, or `strategy: {matrix}` as the neighbours write it.
    private func matrix(_ fields: Fields, _ visible: Visible) -> Matrix? {
        var tree = fields["matrix"]
        var parallel: Int?
        if let strategy = fields["strategy"] {
            let inner = self.fields(
                strategy, of: "'strategy'", keys: Self.strategyKeys, synonyms: Self.strategySynonyms)
            if tree != nil, inner?["matrix"] != nil {
                fail(strategy.place, "'matrix' stands beside 'strategy' as well: say it once")
            }
            tree = tree ?? inner?["matrix"]
            parallel = integer(inner?["max_parallel"], "'max_parallel'", 1...10_000)
        }
        guard let tree else { return nil }
        var matrix = Matrix(axes: [], include: [], exclude: [], maxParallel: parallel)
        for entry in named(tree, of: "'matrix'") {
            switch entry.key {
            case "include": matrix.include = combinations(entry.value, "'include'", visible)
            case "exclude": matrix.exclude = combinations(entry.value, "'exclude'", visible)
            case "max_parallel": matrix.maxParallel = integer(entry.value, "'max_parallel'", 1...10_000)
            default:
                guard case .list(let items) = entry.value.value, !items.isEmpty else {
                    fail(entry.value.place, "matrix value '\(entry.key)' is a list, not \(entry.value.kindInWords)")
                    continue
                }
                matrix.axes.append(Matrix.Axis(name: entry.key, values: items.map { template($0, visible) }))
            }
        }
        for entry in matrix.exclude.flatMap(\.keys) where !matrix.axes.contains(where: { $0.name == entry }) {
            fail(tree.place, "'exclude' names '\(entry)', which is no list of this matrix")
        }
        if matrix.axes.isEmpty, matrix.include.isEmpty { fail(tree.place, "'matrix' has no values") }
        // Stops at the limit, so that no number of axes overflows.
        let cells = matrix.axes.reduce(1) { min($0, Matrix.limit + 1) * $1.values.count }
        if cells > Matrix.limit || matrix.include.count > Matrix.limit {
            fail(tree.place, "the matrix has more than \(Matrix.limit) combinations")
        }
        return matrix
    }

    private func combinations(_ tree: Tree, _ what: String, _ visible: Visible) -> [[String: Template]] {
        guard case .list(let items) = tree.value else {
            fail(tree.place, "\(what) is a list of maps, not \(tree.kindInWords)")
            return []
        }
        return items.map { templates($0, of: "each of \(what)", visible) }
    }

    /// Jobs that wait for each other would wait for ever.
    private func checkCycles(_ jobs: [Job], _ fields: [Fields]) {
        guard let cycle = cycle(among: jobs.map { ($0.id, Set($0.needs)) }),
            let index = jobs.firstIndex(where: { $0.id == cycle[0] })
        else { return }
        fail(fields[index].place(of: "needs"), "jobs need each other: " + cycle.joined(separator: " → "))
    }
}
