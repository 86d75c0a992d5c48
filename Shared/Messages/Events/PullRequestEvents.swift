import Foundation

/// A pull or merge request as its forge tells of it.
public struct PullRequest: Sendable, Hashable, Codable {
    public var number: Int
    public var title: String
    /// The name of who opened it, at the forge.
    public var author: String
    /// The branch that it brings; of another repository where it is a fork's.
    public var source: String
    /// The branch that it is to be merged into.
    public var target: String
    /// Its newest commit.
    public var sha: String
    /// That commit is on no branch of the repository: nobody who may push here has looked at it. Its runs get no secrets.
    public var fork: Bool
    /// Its page.
    public var page: String?

    public init(
        number: Int, title: String, author: String, source: String, target: String, sha: String, fork: Bool,
        page: String? = nil
    ) {
        self.number = number
        self.title = title
        self.author = author
        self.source = source
        self.target = target
        self.sha = sha
        self.fork = fork
        self.page = page
    }
}

/// A pull request was opened, or opened again.
public struct PullRequestOpened: EventBody {
    public static let name = "change.pull_request_opened"
    public static let source: Source? = .triggerService
    public static let summary = "A pull request was opened, or opened again."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var pullRequest: PullRequest
    /// The commit that runs of it are of: its merge with the target where the forge has made one, else its newest.
    public var sha: String
    /// Changed files, computed from git; at most 3,000.
    public var paths: [String]
    /// Whether there were more changed files than listed.
    public var pathsTruncated: Bool
    /// First line of the newest commit's message.
    public var message: String
    /// `<forge>/<id>`: the delivery that told of it.
    public var delivery: String?

    public init(
        repository: String, url: String, pullRequest: PullRequest, sha: String, paths: [String], pathsTruncated: Bool,
        message: String, delivery: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.pullRequest = pullRequest
        self.sha = sha
        self.paths = paths
        self.pathsTruncated = pathsTruncated
        self.message = message
        self.delivery = delivery
    }
}

/// A pull request got other commits, or another target.
public struct PullRequestUpdated: EventBody {
    public static let name = "change.pull_request_updated"
    public static let source: Source? = .triggerService
    public static let summary = "A pull request got other commits, or another target."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var pullRequest: PullRequest
    /// The commit that runs of it are of: its merge with the target where the forge has made one, else its newest.
    public var sha: String
    /// Changed files of the whole request, computed from git; at most 3,000.
    public var paths: [String]
    /// Whether there were more changed files than listed.
    public var pathsTruncated: Bool
    /// First line of the newest commit's message.
    public var message: String
    /// `<forge>/<id>`: the delivery that told of it.
    public var delivery: String?

    public init(
        repository: String, url: String, pullRequest: PullRequest, sha: String, paths: [String], pathsTruncated: Bool,
        message: String, delivery: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.pullRequest = pullRequest
        self.sha = sha
        self.paths = paths
        self.pathsTruncated = pathsTruncated
        self.message = message
        self.delivery = delivery
    }
}

/// A pull request was merged; the push to its target is told of by itself.
public struct PullRequestMerged: EventBody {
    public static let name = "change.pull_request_merged"
    public static let source: Source? = .triggerService
    public static let summary = "A pull request was merged; the push to its target is told of by itself."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var pullRequest: PullRequest
    /// The commit that it became, as the forge says; `nil` where it does not say.
    public var merged: String?
    /// `<forge>/<id>`: the delivery that told of it.
    public var delivery: String?

    public init(
        repository: String, url: String, pullRequest: PullRequest, merged: String? = nil, delivery: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.pullRequest = pullRequest
        self.merged = merged
        self.delivery = delivery
    }
}

/// A pull request was closed without being merged.
public struct PullRequestClosed: EventBody {
    public static let name = "change.pull_request_closed"
    public static let source: Source? = .triggerService
    public static let summary = "A pull request was closed without being merged."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var pullRequest: PullRequest
    /// `<forge>/<id>`: the delivery that told of it.
    public var delivery: String?

    public init(repository: String, url: String, pullRequest: PullRequest, delivery: String? = nil) {
        self.repository = repository
        self.url = url
        self.pullRequest = pullRequest
        self.delivery = delivery
    }
}
