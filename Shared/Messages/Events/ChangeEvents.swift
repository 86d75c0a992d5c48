import Foundation

/// A branch of a watched repository moved to another commit.
public struct ChangePushed: EventBody {
    public static let name = "change.pushed"
    public static let source: Source? = .triggerService
    public static let summary = "A branch of a watched repository moved to another commit."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var branch: String
    /// `nil` when the branch is new.
    public var before: String?
    public var sha: String
    /// Changed files, computed from git; at most 3,000.
    public var paths: [String]
    /// Whether there were more changed files than listed.
    public var pathsTruncated: Bool
    /// The commit's author as `Name <email>`.
    public var author: String
    /// First line of the commit's message.
    public var message: String
    /// `<forge>/<id>`: the delivery that told of it; `nil` where it was seen in git.
    public var delivery: String?

    public init(
        repository: String, url: String, branch: String, before: String? = nil, sha: String, paths: [String],
        pathsTruncated: Bool, author: String, message: String, delivery: String? = nil
    ) {
        self.repository = repository
        self.url = url
        self.branch = branch
        self.before = before
        self.sha = sha
        self.paths = paths
        self.pathsTruncated = pathsTruncated
        self.author = author
        self.message = message
        self.delivery = delivery
    }
}
