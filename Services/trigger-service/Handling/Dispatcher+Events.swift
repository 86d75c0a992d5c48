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
            let sha = try transaction.heads(of: known.name)[branch] ?? project.sha
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
        var patterns: [Glob] = []
        if let key = try transaction.commitFiles(repository: project.repository, sha: project.sha)?.digest,
            case .success(let read) = try projects.project(key, repository: project.repository, in: transaction)
        {
            patterns = Set(
                read.pipelines.flatMap(\.triggers).compactMap { trigger in
                    if case .event(let type, _) = trigger { type } else { nil }
                }
            ).sorted().map(Glob.init)
        }
        projects.keep(patterns, of: project.digest)
        return patterns
    }
}
