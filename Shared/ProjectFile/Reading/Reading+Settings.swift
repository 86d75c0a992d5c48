import Messages

/// Environments, back ends, targets and notifications.
extension Reading {
    static let environmentKeys = ["approvals", "enabled", "description", "url"]
    static let approvalKeys = ["required", "from", "requester_may_approve", "timeout", "on_timeout"]
    static let backendKeys = [
        "kind", "wait", "every", "endpoint", "url", "token", "workspace", "resource_group", "subscription",
        "cluster", "namespace", "project", "timeout", "headers", "callback",
    ]
    static let targetKeys = [
        "kind", "instance", "root", "group", "resources", "autoscale", "auth", "url", "file", "name", "image",
        "namespace", "command", "health", "score", "port_env", "env", "timeout", "drain", "token", "headers",
        "registry",
    ]
    static let notificationKeys = ["when", "use", "channel", "pipelines", "link", "text"]

    func environments(_ entries: [Tree.Entry], _ names: KnownNames) -> [String: Environment] {
        var result: [String: Environment] = [:]
        for entry in entries {
            let what = "environment '\(entry.key)'"
            let fields = fields(entry.value, of: what, keys: Self.environmentKeys)
            for key in ["description", "url"] { _ = text(fields?[key], "'\(key)'") }
            result[entry.key] = Environment(
                name: entry.key, approvals: approvals(fields?["approvals"]),
                enabled: fields?["enabled"].map { template($0, names.visible.without([.secrets])) })
        }
        return result
    }

    private func approvals(_ tree: Tree?) -> Approvals? {
        guard let tree, let fields = fields(tree, of: "'approvals'", keys: Self.approvalKeys) else { return nil }
        var approvals = Approvals()
        approvals.required = integer(fields["required"], "'required'", 0...100) ?? approvals.required
        approvals.from = texts(fields["from"], "'from'").compactMap { entry in
            let parts = entry.text.split(separator: ":", maxSplits: 1)
            if parts.count == 2, ["user", "group", "key"].contains(parts[0]) { return entry.text }
            fail(entry.place, "'\(entry.text)' is neither user:NAME nor group:NAME nor key:CLIENT")
            return nil
        }
        approvals.requesterMayApprove =
            flag(fields["requester_may_approve"], "'requester_may_approve'") ?? approvals.requesterMayApprove
        approvals.timeout = duration(fields["timeout"], "'timeout'") ?? approvals.timeout
        approvals.onTimeout = word(fields["on_timeout"], "'on_timeout'", Approvals.Timeout.self) ?? approvals.onTimeout
        return approvals
    }

    static let backendKinds = ["local", "http", "azureml", "kubeflow", "databricks-jobs"]

    func backends(_ entries: [Tree.Entry], _ names: KnownNames) -> [String: Backend] {
        var result: [String: Backend] = [:]
        for entry in entries {
            guard let fields = fields(entry.value, of: "back end '\(entry.key)'", keys: Self.backendKeys) else {
                continue
            }
            _ = duration(fields["every"], "'every'")
            let kind = kind(fields, Self.backendKinds)
            if !kind.isEmpty { warn(backend: entry, kind: kind, fields) }
            result[entry.key] = Backend(
                name: entry.key, kind: kind,
                wait: word(fields["wait"], "'wait'", of: ["callback", "poll"]) ?? "poll",
                settings: template(entry.value, names.visible)
            )
        }
        return result
    }

    static let targetKinds = [
        "container", "container-image", "http-service", "endpoint", "cluster", "git-sync", "process",
    ]

    func targets(_ entries: [Tree.Entry], _ names: KnownNames) -> [String: Target] {
        var result: [String: Target] = [:]
        for entry in entries {
            guard let fields = fields(entry.value, of: "target '\(entry.key)'", keys: Self.targetKeys) else { continue }
            _ = word(fields["instance"], "'instance'", of: ["shared", "per-version"])
            let kind = kind(fields, Self.targetKinds)
            if kind == "process", fields["command"] == nil {
                fail(fields.place, "target '\(entry.key)' needs 'command': what serves a version")
            }
            if !kind.isEmpty { warn(target: entry, kind: kind, fields) }
            let settings = template(entry.value, names.visible)
            checkGit(in: settings)
            result[entry.key] = Target(name: entry.key, kind: kind, settings: settings)
        }
        return result
    }

    /// Whoever can push writes a commit's message and chooses the names of branches.
    private func checkGit(in settings: Template) {
        let words = ["message", "author"]
        for reference in settings.references where reference.root == .git {
            if let name = reference.path.first, !words.contains(name) { continue }
            failIfNew(
                reference.place,
                "'\(reference.text)' has no place in a target: whoever can push chooses what it holds")
        }
        guard let command = settings["command"] else { return }
        switch command {
        case .literal, .list, .object: return
        case .expression, .text: break
        }
        let safe = ["sha", "before", "repo", "url"]
        for reference in command.references where reference.root == .git {
            guard let name = reference.path.first, !(words + safe).contains(name) else { continue }
            failIfNew(
                reference.place,
                "'\(reference.text)' may hold anything, and a shell reads 'command': make it a list of words")
        }
    }

    private func kind(_ fields: Fields, _ known: [String]) -> String {
        guard fields["kind"] != nil else {
            fail(fields.place, "\(fields.what) needs 'kind': " + known.joined(separator: ", "))
            return ""
        }
        return word(fields["kind"], "'kind'", of: known) ?? ""
    }

    static let notifiers = ["slack", "teams", "webhook", "email", "file", "pull-request"]

    func notification(_ tree: Tree, _ names: KnownNames) -> Notification? {
        guard let fields = fields(tree, of: "'notify'", keys: Self.notificationKeys) else { return nil }
        for key in ["when", "use"] where fields[key] == nil {
            fail(fields.place, "an entry of 'notify' needs '\(key)'")
        }
        let use = word(fields["use"], "'use'", of: Self.notifiers) ?? ""
        warn(notifier: use, fields)
        if fields["channel"] == nil, use != "pull-request", !use.isEmpty {
            fail(fields.place, "an entry of 'notify' needs 'channel', for example ${{ secrets.HOOK }}")
        }
        let pipelines = texts(fields["pipelines"], "'pipelines'")
        for entry in pipelines where !names.pipelines.contains(entry.text) {
            fail(
                entry.place,
                "there is no pipeline '\(entry.text)'" + suggestion(for: entry.text, among: names.pipelines)
            )
        }
        let when = texts(fields["when"], "'when'")
        for entry in when where !EventWords.allow(entry.text) {
            fail(entry.place, "there is no event '\(entry.text)'" + suggestion(for: entry.text, among: EventWords.all))
        }
        return Notification(
            when: when.map(\.text), use: use,
            channel: fields["channel"].map { template($0, names.visible.without([.git]), raw: true) },
            pipelines: pipelines.map(\.text)
        )
    }
}

/// What `notify[].when` may name: an event, an event and its outcome (`run.failed`), or a whole subject (`run.*`).
enum EventWords {
    static let all: [String] = {
        var words = Set(allEventBodies.map { $0.name })
        for subject in ["run", "job", "step"] {
            words.formUnion(Outcome.allCases.map { "\(subject).\($0.rawValue)" })
        }
        for result in ApprovalResult.allCases { words.insert("approval.\(result.rawValue)") }
        words.formUnion(["deployment.succeeded", "deployment.failed", "smoke_test.failed", "smoke_test.passed"])
        return words.sorted()
    }()

    private static let subjects = Set(all.map { $0.prefix { $0 != "." } })

    /// Types of others are named in full, so they hold more than one dot.
    static func allow(_ word: String) -> Bool {
        if word.hasSuffix(".*") { return word == "*.*" || subjects.contains(word.dropLast(2)) }
        return all.contains(word) || word == "*" || word.count { $0 == "." } >= 2
    }
}
