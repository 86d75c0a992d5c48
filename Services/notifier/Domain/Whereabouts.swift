import Messages

/// What an event says about where it belongs, whatever its type.
struct Whereabouts: Hashable, Sendable {
    var project: String?
    var pipeline: String?
    var run: String?
    var model: String?
    var repository: String?

    init(of envelope: Envelope) {
        project = envelope.data["project"]?.string
        pipeline = envelope.data["pipeline"]?.string
        run = envelope.data["run"]?.string
        model = envelope.data["model"]?.string
        repository = envelope.data["repository"]?.string
    }
}

/// What the notifier remembers of a run, to name it in messages about its parts.
struct RunPlace: Hashable, Sendable {
    var run: String
    var number: Int
    var project: String
    var pipeline: String
    /// Of the project file that the run follows: its rules count, not those of a newer commit.
    var fileDigest: String?
    var branch: String?
    var sha: String?
    /// First line of the commit's message.
    var commit: String?
    var requester: String
    /// A gate of the run that only advises, in words: every message about the run says so (E10).
    var advice: String?

    init(_ body: RunQueued, actor: String) {
        run = body.run
        number = body.number
        project = body.project
        pipeline = body.pipeline
        fileDigest = body.fileDigest
        branch = body.git?.branch
        sha = body.git?.sha
        commit = body.git?.message
        requester = actor
    }

    init(
        run: String, number: Int, project: String, pipeline: String, fileDigest: String?, branch: String?,
        sha: String?, commit: String?, requester: String, advice: String? = nil
    ) {
        self.run = run
        self.number = number
        self.project = project
        self.pipeline = pipeline
        self.fileDigest = fileDigest
        self.branch = branch
        self.sha = sha
        self.commit = commit
        self.requester = requester
        self.advice = advice
    }
}
