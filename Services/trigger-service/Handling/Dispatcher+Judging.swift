import Artifacts
import Messages
import ProjectFile
import Store

/// What has to be read from git before a cause can be judged.
struct ReadRequest: Sendable, Hashable, Codable {
    var cause: String
    var repository: String
    /// A commit, or the beginning of its name.
    var sha: String
    /// A person named it: it has to be on a branch or a tag. `nil` is `false`.
    var isNamed: Bool?
}

extension Dispatcher {
    /// Takes a cause once: stored first, judged as soon as the files of its commit are known.
    func take(_ cause: Cause, _ transaction: Transaction) throws {
        guard try transaction.insert(cause) else { return }
        guard let git = cause.git else {
            try transaction.markJudged(cause)
            return try answerReplay(cause, transaction)
        }
        let isNamed = try isNamed(git, by: cause, transaction)
        if !isNamed, try transaction.commitFiles(repository: git.repository, sha: git.sha) != nil {
            try filesAreKnown(cause, transaction)
        } else {
            let request = ReadRequest(
                cause: cause.id, repository: git.repository, sha: git.sha, isNamed: isNamed ? true : nil)
            try transaction.intend(IntentKind.read, id: cause.id, payload: request)
        }
    }

    /// Whether nothing but a person's word says that the commit belongs here: git may have it of a fork's pull request, whose
    /// code would run with all rights.
    private func isNamed(_ git: GitReference, by cause: Cause, _ transaction: Transaction) throws -> Bool {
        // In a plan there is nothing to be fetched: the commit is one of the folder.
        guard cause.isCommand, try transaction.repository(git.repository) != nil else { return false }
        return try transaction.head(of: git.repository, branch: git.branch) != git.sha
    }

    /// The files of the cause's commit were read: it is judged when those before it in its line are.
    func filesAreKnown(_ cause: Cause, _ transaction: Transaction) throws {
        if let line = cause.line, try transaction.firstWaiting(inLine: line)?.id != cause.id { return }
        try weigh(cause, transaction)
        try answerReplay(cause, transaction)
        try judgeThose(behind: cause, transaction)
        try admit(transaction)
    }

    /// A cause is judged: those that only waited for their turn are as well.
    private func judgeThose(behind cause: Cause, _ transaction: Transaction) throws {
        guard let line = cause.line else { return }
        while let next = try transaction.firstWaiting(inLine: line), let git = next.git,
            try transaction.commitFiles(repository: git.repository, sha: git.sha) != nil
        {
            try weigh(next, transaction)
            try answerReplay(next, transaction)
        }
    }

    private func weigh(_ cause: Cause, _ transaction: Transaction) throws {
        var cause = cause
        guard var git = cause.git, let files = try transaction.commitFiles(repository: git.repository, sha: git.sha)
        else { return }
        git.message = files.message
        cause.git = git
        try transaction.markJudged(cause)
        let missing = FileError(
            file: ProjectReader.mainFile, line: 1, column: 1,
            message: "commit \(git.sha.prefix(12)) has no \(ProjectReader.mainFile) and nothing under"
                + " \(ProjectReader.pipelineFolder)/")
        guard let digest = files.digest else { return try reject(cause, git, [missing], transaction) }
        // The project goes by this commit's files: nothing that is new comes with the cause.
        let loaded = try transaction.project(ofRepository: git.repository)
        let taken = !cause.bringsFile && loaded?.sha == git.sha
        switch try projects.project(digest, repository: git.repository, taken: taken, in: transaction) {
        case .failure(let errors):
            try reject(cause, git, errors.errors, transaction)
        case .success(let read):
            let project = try equipped(read, for: cause, git, transaction)
            if let error = try conflict(project, git, transaction) {
                return try reject(cause, git, [error], transaction)
            }
            if let error = try announce(project, cause, git, transaction) {
                return try reject(cause, git, [error], transaction)
            }
            try judge(cause, git, project, digest, transaction)
        }
    }

    /// The project with the values that its operator keeps for it; a stranger's file gets only what ours names.
    private func equipped(
        _ project: Project, for cause: Cause, _ git: GitReference, _ transaction: Transaction
    ) throws -> Project {
        guard let variables else { return project }
        guard cause.untrusted == true else { return variables.equip(project).project }
        let ours = try transaction.project(ofRepository: git.repository).flatMap { try file(of: $0, transaction) }
        return variables.equip(strangers: project, like: ours)
    }

    private func judge(
        _ cause: Cause, _ git: GitReference, _ project: Project, _ digest: String, _ transaction: Transaction
    ) throws {
        if let wanted = cause.project, wanted != project.name {
            let reason = "the project is called '\(project.name)' in commit \(git.sha.prefix(12)), not '\(wanted)'"
            return try ignore(cause, wanted, "*", code: "other_project", reason, transaction)
        }
        for pipeline in cause.onlyPipeline.map({ [$0] }) ?? project.pipelines.map(\.name) {
            switch project.verdict(for: cause.facts, pipeline: pipeline) {
            case .ignored("no_trigger", _) where !cause.isAskedAbout:
                break
            case .ignored(let code, let reason):
                try ignore(cause, project.name, pipeline, code: code, reason, transaction)
            case .matched where cause.loops, .contributes where cause.loops:
                try ignore(
                    cause, project.name, pipeline, code: "loop_detected",
                    "\(cause.because.depth) events led to this one after another; above \(Cause.deepest) nothing starts",
                    transaction)
            case .matched(let reason):
                try orIgnore(
                    RunRequest(
                        cause: cause, git: git, project: project, fileDigest: digest, pipeline: pipeline,
                        reason: reason), transaction
                ) { _ = try start($0, transaction) }
            case .contributes(let contribution):
                try orIgnore(
                    RunRequest(
                        cause: cause, git: git, project: project, fileDigest: digest, pipeline: pipeline, reason: ""),
                    transaction
                ) { try gather(contribution, $0, transaction) }
            }
        }
    }

    /// The trigger holds; where there is no run all the same, that is the verdict.
    private func orIgnore(
        _ request: RunRequest, _ transaction: Transaction, _ body: (RunRequest) throws -> Void
    ) throws {
        do {
            try body(request)
        } catch let refusal as NotStarted {
            try ignore(
                request.cause, request.project.name, request.pipeline, code: refusal.code, refusal.reason, transaction)
        }
    }

    /// Stores the verdict, and answers the person where one asked.
    func ignore(
        _ cause: Cause, _ project: String, _ pipeline: String, code: String, _ words: String,
        _ transaction: Transaction
    ) throws {
        let reason = words.shortened()
        let verdict = StoredVerdict(
            cause: cause.id, project: project, pipeline: pipeline, matched: false, code: code, reason: reason)
        try transaction.insert(verdict)
        try say(verdict, of: cause, transaction)
        if cause.isCommand { try answer(cause.id, cause.because, refused: reason, transaction) }
        try notStarted(cause, pipeline, reason, transaction)
    }

    /// Tells of a verdict as it is stored now.
    @discardableResult
    func say(_ verdict: StoredVerdict, of cause: Cause, _ transaction: Transaction) throws -> Envelope {
        tell(.judged(code: verdict.code))
        let (project, pipeline) = (verdict.project, verdict.pipeline)
        let subject = "pipeline/\(project)/\(pipeline)"
        if let run = verdict.run {
            let body = TriggerMatched(
                cause: cause.id, causeType: cause.type, project: project, pipeline: pipeline, run: run,
                reason: verdict.reason)
            return try transaction.publish(body, subject: subject, key: project, because: cause.because)
        }
        let body = TriggerIgnored(
            cause: cause.id, causeType: cause.type, project: project, pipeline: pipeline, code: verdict.code,
            reason: verdict.reason)
        return try transaction.publish(body, subject: subject, key: project, because: cause.because)
    }

    /// Nothing starts from a file with errors; that too is a verdict for each pipeline that might have.
    private func reject(
        _ cause: Cause, _ git: GitReference, _ errors: [FileError], _ transaction: Transaction
    ) throws {
        if cause.bringsFile {
            try transaction.publish(
                ProjectRejected(
                    repository: git.repository, sha: git.sha, errors: EventRoom.fitting(errors),
                    pullRequest: cause.pullRequest),
                subject: "repository/\(git.repository)", key: git.repository, because: cause.because)
        }
        let reason = "the project file has errors: \(EventRoom.words(errors))"
        let known = try transaction.project(ofRepository: git.repository)
        var pipelines = ["*"]
        if let only = cause.onlyPipeline {
            pipelines = [only]
        } else if let known, let project = try file(of: known, transaction) {
            pipelines = project.pipelines.map(\.name)
        }
        let name = cause.project ?? known?.name ?? git.repository
        for pipeline in pipelines {
            try ignore(cause, name, pipeline, code: "project_rejected", reason, transaction)
        }
    }

    /// The files of a commit that cannot be had: there is no such commit, or its repository is gone.
    func giveUp(_ id: String, code: String, reason: String, _ transaction: Transaction) throws {
        guard let cause = try transaction.waitingCause(id) else { return }
        try transaction.markJudged(cause)
        try ignore(
            cause, cause.project ?? cause.git?.repository ?? "*", cause.onlyPipeline ?? "*", code: code, reason,
            transaction)
        try answerReplay(cause, transaction)
        try judgeThose(behind: cause, transaction)
        try admit(transaction)
    }
}
