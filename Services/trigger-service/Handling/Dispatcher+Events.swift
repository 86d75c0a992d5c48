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
        let listening = try transaction.projects().filter { project in
            guard repository ?? project.repository == project.repository else { return false }
            return try patterns(of: project, transaction).contains { pattern in
                pattern.matches(envelope.type) || pattern.matches(shortEventName(envelope.type))
            }
        }
        for project in listening {
            guard let known = try transaction.repository(project.repository) else { continue }
            let branch = known.defaultBranch ?? project.branch
            let sha = try transaction.head(of: known.name, branch: branch) ?? project.sha
            let git = GitReference(repository: known.name, url: known.url, branch: branch, sha: sha, message: "")
            // An id is unique for its source alone, and an event may be heard in several projects.
            var id = listening.count == 1 ? envelope.id : "\(envelope.id)@\(project.name)"
            if try transaction.knowsCause(id) { id = "\(envelope.source)#\(id)" }
            try take(Cause(envelope, id: id, project: project.name, git: git), transaction)
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
