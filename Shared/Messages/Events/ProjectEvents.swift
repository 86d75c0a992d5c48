import Foundation

/// A project file was read and holds: what other services need to know of it.
public struct ProjectLoaded: EventBody {
    public static let name = "project.loaded"
    public static let source: Source? = .triggerService
    public static let summary = "A project file was read and holds: what other services need to know of it."

    public var project: String
    public var repository: String
    public var sha: String
    /// Of the project file's text.
    public var digest: String
    public var pipelines: [String]
    public var models: [ModelDeclaration]
    public var notifications: [NotificationRule]
    /// `targets:` as declared, expressions evaluated.
    public var targets: [String: JSONValue]

    public init(
        project: String, repository: String, sha: String, digest: String, pipelines: [String],
        models: [ModelDeclaration], notifications: [NotificationRule], targets: [String: JSONValue]
    ) {
        self.project = project
        self.repository = repository
        self.sha = sha
        self.digest = digest
        self.pipelines = pipelines
        self.models = models
        self.notifications = notifications
        self.targets = targets
    }
}

/// A commit's project file is the one already loaded.
public struct ProjectUnchanged: EventBody {
    public static let name = "project.unchanged"
    public static let source: Source? = .triggerService
    public static let summary = "A commit's project file is the one already loaded."

    public var project: String
    public var repository: String
    public var sha: String
    public var digest: String

    public init(project: String, repository: String, sha: String, digest: String) {
        self.project = project
        self.repository = repository
        self.sha = sha
        self.digest = digest
    }
}

/// A repository's default branch goes by another project name now: this one is over.
public struct ProjectRetired: EventBody {
    public static let name = "project.retired"
    public static let source: Source? = .triggerService
    public static let summary = "A repository's default branch goes by another project name now: this one is over."

    public var project: String
    public var repository: String
    /// The commit that says so.
    public var sha: String
    /// Its new name.
    public var successor: String

    public init(project: String, repository: String, sha: String, successor: String) {
        self.project = project
        self.repository = repository
        self.sha = sha
        self.successor = successor
    }
}

/// A project file has errors; nothing was started.
public struct ProjectRejected: EventBody {
    public static let name = "project.rejected"
    public static let source: Source? = .triggerService
    public static let summary = "A project file has errors; nothing was started."

    public var repository: String
    public var sha: String
    /// All of them at once.
    public var errors: [FileError]
    /// The file is that of this pull request, and says nothing of the repository's own.
    public var pullRequest: Int?

    public init(repository: String, sha: String, errors: [FileError], pullRequest: Int? = nil) {
        self.repository = repository
        self.sha = sha
        self.errors = errors
        self.pullRequest = pullRequest
    }
}
