import Foundation

/// A tag of a watched repository is new, or points to another commit.
public struct TagCreated: EventBody {
    public static let name = "change.tag_created"
    public static let source: Source? = .triggerService
    public static let summary = "A tag of a watched repository is new, or points to another commit."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var tag: String
    /// Where it pointed before; `nil` when it is new.
    public var before: String?
    /// The commit, also where the tag is annotated.
    public var sha: String
    /// The commit's author as `Name <email>`.
    public var author: String
    /// First line of the commit's message.
    public var message: String
    /// `<forge>/<id>`: the delivery that told of it; `nil` where it was seen in git.
    public var delivery: String?

    public init(
        repository: String, url: String, tag: String, before: String? = nil, sha: String, author: String,
        message: String, delivery: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.tag = tag
        self.before = before
        self.sha = sha
        self.author = author
        self.message = message
        self.delivery = delivery
    }
}

/// A watched repository has a new branch; `change.pushed` tells of its commits.
public struct BranchCreated: EventBody {
    public static let name = "change.branch_created"
    public static let source: Source? = .triggerService
    public static let summary = "A watched repository has a new branch; change.pushed tells of its commits."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var branch: String
    public var sha: String

    public init(repository: String, url: String, branch: String, sha: String) {
        self.repository = repository
        self.url = url
        self.branch = branch
        self.sha = sha
    }
}

/// A branch of a watched repository is gone.
public struct BranchDeleted: EventBody {
    public static let name = "change.branch_deleted"
    public static let source: Source? = .triggerService
    public static let summary = "A branch of a watched repository is gone."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var branch: String
    /// Where it pointed last.
    public var before: String

    public init(repository: String, url: String, branch: String, before: String) {
        self.repository = repository
        self.url = url
        self.branch = branch
        self.before = before
    }
}

/// A forge published a release.
public struct ReleasePublished: EventBody {
    public static let name = "change.release_published"
    public static let source: Source? = .triggerService
    public static let summary = "A forge published a release; its tag is told of by itself."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var tag: String
    /// Its title.
    public var title: String
    /// The name of who published it, at the forge.
    public var author: String
    public var prerelease: Bool
    /// The tag's commit, else that of the default branch.
    public var sha: String
    /// Its page.
    public var page: String?
    /// `<forge>/<id>`: the delivery that told of it.
    public var delivery: String?

    public init(
        repository: String, url: String, tag: String, title: String, author: String, prerelease: Bool, sha: String,
        page: String? = nil, delivery: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.tag = tag
        self.title = title
        self.author = author
        self.prerelease = prerelease
        self.sha = sha
        self.page = page
        self.delivery = delivery
    }
}

/// Somebody wrote a comment on a pull request or an issue.
public struct Commented: EventBody {
    public static let name = "change.commented"
    public static let source: Source? = .triggerService
    public static let summary = "Somebody wrote a comment on a pull request or an issue."

    public var repository: String
    /// Without credentials.
    public var url: String
    /// Of the pull request or issue.
    public var number: Int
    /// `false`: on an issue.
    public var inPullRequest: Bool
    /// At most 16 KiB.
    public var text: String
    /// Who wrote it, by the name at the forge.
    public var author: String
    /// What the author is to the repository, where the forge says: `OWNER`, `MEMBER`, `NONE`, ….
    public var association: String?
    /// The commit that runs of it are of: the pull request's, else that of the default branch.
    public var sha: String
    /// That commit is on no branch of the repository: its runs get no secrets.
    public var fork: Bool
    /// Its page.
    public var page: String?
    /// `<forge>/<id>`: the delivery that told of it.
    public var delivery: String?

    public init(
        repository: String, url: String, number: Int, inPullRequest: Bool, text: String, author: String,
        association: String? = nil, sha: String, fork: Bool, page: String? = nil, delivery: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.number = number
        self.inPullRequest = inPullRequest
        self.text = text
        self.author = author
        self.association = association
        self.sha = sha
        self.fork = fork
        self.page = page
        self.delivery = delivery
    }
}
