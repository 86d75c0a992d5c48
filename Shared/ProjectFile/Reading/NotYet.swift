/// What a project file may say and Martlet does nothing with yet: files that say it are read, and `martlet validate` warns,
/// so that nobody takes silence for an effect. What comes to be served leaves this list.
package enum NotYet {
    /// Nobody answers them; their prefixes are ours, so nobody else's worker does either.
    package static let verbs: Set<String> = [
        "image/build", "infra/apply", "deploy/code", "deploy/rollout", "notify/teams", "notify/webhook",
        "notify/email", "notify/pull-request",
    ]

    /// Keys in `with` that nobody reads, by verb.
    static let keys: [String: Set<String>] = [
        "train/run": [
            "experiment", "job", "notebook", "cluster", "resources", "publish_log", "log_files", "environment",
            "requirements", "name", "timeout",
        ],
        "train/publish": ["mode", "description", "git_ref", "substitute", "cluster"],
        "artifact/fetch": ["to"],
        "evaluate/test": ["timeout"],
        "registry/register": ["idempotency_key"],
        "deploy/model": ["overwrite", "resources", "tags", "publish_secrets"],
        "deploy/smoke-test": ["timeout"],
    ]

    /// Of back ends and targets, the kinds that are served.
    static let servedBackend = "local"
    static let servedTarget = "process"

    /// Keys of a target that its kind `process` has a use for.
    static let targetKeys: Set<String> = [
        "kind", "command", "health", "score", "port_env", "env", "timeout", "drain",
    ]

    static let notifiers: Set<String> = ["teams", "webhook", "email", "pull-request"]
    static let notificationKeys = ["link", "text"]

    /// Why a step with this verb cannot be done; `nil`: somebody may do it.
    package static func reason(verb: String) -> String? {
        guard verbs.contains(verb) else { return nil }
        return "this Martlet does not serve '\(verb)' yet: use 'run', or a verb of your own (VENDOR/VERB) with a worker"
            + " that serves it"
    }
}

extension Reading {
    /// A verb and its keys, as far as nothing comes of them.
    func warn(verb: String, at place: Place, with entries: [Tree.Entry]) {
        if NotYet.verbs.contains(verb) {
            return warn(place, "nothing serves '\(verb)' yet: a run that reaches it fails there")
        }
        let unread = NotYet.keys[verb] ?? []
        for entry in entries where unread.contains(entry.key) {
            let instead = entry.key == "timeout" ? "; the step's own 'timeout' has one" : ""
            warn(entry.place, "'\(entry.key)' of '\(verb)' has no effect yet\(instead)")
        }
    }

    func warn(backend: Tree.Entry, kind: String, _ fields: Fields) {
        if kind != NotYet.servedBackend {
            return warn(
                fields.place(of: "kind"),
                "nothing serves back ends of kind '\(kind)' yet: a run that asks for '\(backend.key)' fails there")
        }
        if backend.key != NotYet.servedBackend {
            let name = backend.key
            warn(backend.place, "only the back end 'local' is served yet: a run that asks for '\(name)' fails there")
        }
        warnOfKeys(backend.value, served: ["kind"], "back end '\(backend.key)'")
    }

    func warn(target: Tree.Entry, kind: String, _ fields: Fields) {
        guard kind == NotYet.servedTarget else {
            return warn(
                fields.place(of: "kind"),
                "nothing serves targets of kind '\(kind)' yet: a run that deploys to '\(target.key)' fails there")
        }
        warnOfKeys(target.value, served: NotYet.targetKeys, "target '\(target.key)'")
    }

    func warn(notifier: String, _ fields: Fields) {
        if NotYet.notifiers.contains(notifier) {
            return warn(
                fields.place(of: "use"),
                "nothing delivers to '\(notifier)' yet: each of its messages is told as failed")
        }
        for key in NotYet.notificationKeys where fields[key] != nil {
            warn(fields.place(of: key), "'\(key)' of 'notify' has no effect yet")
        }
    }

    private func warnOfKeys(_ tree: Tree, served: Set<String>, _ what: String) {
        guard case .map(let entries) = tree.value else { return }
        for entry in entries where !served.contains(entry.key) {
            warn(entry.place, "'\(entry.key)' of \(what) has no effect yet")
        }
    }
}
