import Messages
import ProjectFile
import Store

extension Dispatcher {
    /// The file that a project was last loaded from; `nil` when it cannot be read any more.
    func file(of loaded: LoadedProject, _ transaction: Transaction) throws -> Project? {
        guard let key = try transaction.commitFiles(repository: loaded.repository, sha: loaded.sha)?.digest,
            case .success(let project) = try projects.project(
                key, repository: loaded.repository, taken: true, in: transaction)
        else { return nil }
        return project
    }

    /// Two repositories cannot be one project: whose models and runs would those be?
    func conflict(_ project: Project, _ git: GitReference, _ transaction: Transaction) throws -> FileError? {
        guard let other = try transaction.project(project.name), other.repository != git.repository,
            try transaction.repository(other.repository) != nil
        else { return nil }
        return FileError(
            file: ProjectReader.mainFile, line: 1, column: 1,
            message: "the project name '\(project.name)' belongs to the repository '\(other.repository)';"
                + " give this one another name with 'project:'")
    }

    /// Whoever declares a model says who may promote it: it cannot be two repositories' (S0-5, S0-19).
    private func foreign(
        _ models: [ModelDeclaration], _ project: Project, _ git: GitReference, _ transaction: Transaction
    ) throws -> FileError? {
        for model in models {
            for other in try transaction.projects(declaring: model.name)
            where other.name != project.name && other.repository != git.repository {
                guard try transaction.repository(other.repository) != nil else { continue }
                return FileError(
                    file: ProjectReader.mainFile, line: 1, column: 1,
                    message: "the model '\(model.name)' belongs to the project '\(other.name)' of the repository"
                        + " '\(other.repository)'; give this one another name")
            }
        }
        return nil
    }

    /// Whether this commit says what holds for the project: where the default branch is now does, and where the one is that
    /// the project came from.
    ///
    /// A project that is new comes from another only where nobody knows which the default one is: what any branch calls
    /// itself must not take the models of the repository's project over.
    private func speaks(_ git: GitReference, for old: LoadedProject?, _ transaction: Transaction) throws -> Bool {
        // Of a repository that nobody watches, as in a plan, it is not known where the branches are.
        let watched = try transaction.repository(git.repository)
        if watched != nil, try transaction.head(of: git.repository, branch: git.branch) != git.sha { return false }
        if git.branch == watched?.defaultBranch { return true }
        guard let old, old.repository == git.repository else { return watched?.defaultBranch == nil }
        return git.branch == old.branch
    }

    /// What the repository's default branch called itself before: it is one project, and this is its name now.
    private func former(
        _ project: Project, _ git: GitReference, _ transaction: Transaction
    ) throws -> [LoadedProject] {
        guard try transaction.repository(git.repository)?.defaultBranch == git.branch else { return [] }
        return try transaction.projects().filter { $0.repository == git.repository && $0.name != project.name }
    }

    /// Tells the other services what holds for the project.
    ///
    /// Only the default branch does: what a model's stages ask for must not be loosened by pushing any branch.
    /// Runs of other branches still go by the file of their own commit. So does an older push of the default branch, taken
    /// once more or read late: only where the branch is now counts.
    func announce(
        _ project: Project, _ cause: Cause, _ git: GitReference, _ transaction: Transaction
    ) throws -> FileError? {
        guard case .push = cause.occasion, cause.replayOf == nil else { return nil }
        let old = try transaction.project(project.name)
        guard try speaks(git, for: old, transaction) else { return nil }
        do {
            var scope = try project.baseScope()
            scope.git = RunFacts.members(git)
            let models = try project.modelDeclarations()
            if let error = try foreign(models, project, git, transaction) { return error }
            var loaded = LoadedProject(
                name: project.name, repository: git.repository, digest: project.digest, sha: git.sha,
                branch: git.branch, position: old?.position ?? LogPosition(source: .triggerService, epoch: 0, seq: 0))
            let former = try former(project, git, transaction)
            if let old, old.digest == project.digest, old.repository == git.repository, former.isEmpty {
                try transaction.publish(
                    ProjectUnchanged(
                        project: project.name, repository: git.repository, sha: git.sha, digest: project.digest),
                    subject: "project/\(project.name)", key: project.name, because: cause.because)
            } else {
                let body = ProjectLoaded(
                    project: project.name, repository: git.repository, sha: git.sha, digest: project.digest,
                    pipelines: project.pipelines.map(\.name), models: models,
                    notifications: try project.notificationRules(in: scope),
                    targets: try project.targetValues(in: scope))
                let bytes = EventRoom.bytes(body)
                guard bytes <= EventRoom.project else {
                    return FileError(
                        file: ProjectReader.mainFile, line: 1, column: 1,
                        message: "models, stages, notifications and targets take \(bytes) bytes together, and a project"
                            + " has at most \(EventRoom.project); split it")
                }
                try transaction.publish(
                    body, subject: "project/\(project.name)", key: project.name, because: cause.because)
                loaded.position = try transaction.head()
            }
            try transaction.save(loaded, models: models.map(\.name))
            for other in former {
                // After the project that takes its models over: they are never nobody's.
                try transaction.publish(
                    ProjectRetired(
                        project: other.name, repository: git.repository, sha: git.sha, successor: project.name),
                    subject: "project/\(other.name)", key: other.name, because: cause.because)
                try transaction.delete(other)
            }
            try follow(project, transaction)
            return nil
        } catch let error as EvaluationError {
            return FileError(file: ProjectReader.mainFile, line: 1, column: 1, message: error.message)
        }
    }
}
