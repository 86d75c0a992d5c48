import Messages
import ProjectFile
import Store

extension Dispatcher {
    /// An event may be a cause of pipelines that listen to its type (`on: event`); of all others nothing is kept.
    ///
    /// What counts is the project file on the default branch, and its newest commit is what runs.
    ///
    /// - Parameter repository: only what belongs to it may start; `nil`: anything.
    func heard(_ envelope: Envelope, in repository: String? = nil, _ transaction: Transaction) throws {
        let listening = try listening(to: envelope.type, transaction).filter {
            repository ?? $0.repository == $0.repository
        }
        for project in listening {
            guard let git = try newest(of: project, transaction) else { continue }
            // An id is unique for its source alone, and an event may be heard in several projects.
            var id = listening.count == 1 ? envelope.id : "\(envelope.id)@\(project.name)"
            if try transaction.knowsCause(id) { id = "\(envelope.source)#\(id)" }
            try take(Cause(envelope, id: id, project: project.name, git: git), transaction)
        }
    }

    /// What a service of ours tells of starts pipelines of the project that it is about, in the name of the person who did it,
    /// else of whoever set off the run in which it happened, and with no more rights than that run has.
    func heard(ofServices envelope: Envelope, at position: LogPosition, _ transaction: Transaction) throws {
        guard HeardEvents.ofServices.contains(shortEventName(envelope.type)) else { return }
        let listening = try listening(to: envelope.type, transaction)
        guard !listening.isEmpty, try envelope.time >= transaction.servicesHeardSince() else { return }
        let run = try envelope.data["run"]?.string.flatMap { try transaction.run($0)?.run.facts }
        let home = try home(of: envelope, run, transaction)
        for project in listening where project.name == home ?? project.name {
            // What a stranger's run brings about goes on with the stranger's commit: it counts together with what else comes
            // of that request alone, and what it leaves is not taken for that of a branch of ours.
            let strangers = run.flatMap { $0.untrusted == true ? $0.git : nil }
            guard let git = try strangers ?? newest(of: project, transaction) else { continue }
            // Taken once, also when a snapshot of the service's log tells of it again.
            let id = home == nil ? "\(envelope.id)@\(project.name)" : envelope.id
            var cause = Cause(envelope, id: id, project: project.name, git: git)
            // A worker that has not heard of it yet would not find what it tells of.
            cause.heads = [position]
            if let run {
                if envelope.person == nil {
                    (cause.requester, cause.requesterEmail) = (run.requester, run.requesterEmail)
                    cause.otherRequesters = run.otherRequesters
                }
                cause.untrusted = run.untrusted
            }
            try take(cause, transaction)
        }
    }

    /// The project that an event of a service is about; `nil` where nothing says which.
    private func home(of envelope: Envelope, _ run: RunFacts?, _ transaction: Transaction) throws -> String? {
        let named = envelope.data["project"]?.string ?? run?.project
        if let named, try transaction.project(named) != nil { return named }
        // Of a project that is over, as of none: whose the model is now.
        guard let model = envelope.data["model"]?.string else { return named }
        return try transaction.projects(declaring: model).first?.name ?? named
    }

    /// The newest commit of a project's default branch; `nil` when its repository is gone.
    private func newest(of project: LoadedProject, _ transaction: Transaction) throws -> GitReference? {
        guard let known = try transaction.repository(project.repository) else { return nil }
        let branch = known.defaultBranch ?? project.branch
        let sha = try transaction.head(of: known.name, branch: branch) ?? project.sha
        return GitReference(repository: known.name, url: known.url, branch: branch, sha: sha, message: "")
    }

    private func listening(to type: String, _ transaction: Transaction) throws -> [LoadedProject] {
        try transaction.projects().filter { project in
            try patterns(of: project, transaction).contains { EventFilter.hears($0, type) }
        }
    }

    /// The types of events that a project's pipelines listen to.
    private func patterns(of project: LoadedProject, _ transaction: Transaction) throws -> [Glob] {
        if let known = projects.patterns(project.digest) { return known }
        let triggers = try file(of: project, transaction)?.pipelines.flatMap(\.triggers).flatMap(\.parts)
        let types = triggers?.compactMap { trigger -> String? in
            if case .event(let type, _) = trigger { type } else { nil }
        }
        let patterns = Set(types ?? []).sorted().map(Glob.init)
        projects.keep(patterns, of: project.digest)
        return patterns
    }
}
