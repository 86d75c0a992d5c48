import Messages

/// What git says of a change that a forge told of.
enum Finding: Sendable, Hashable {
    case branch(BranchChange)
    case branchGone(String)
    case tag(TagChange)
    case tagGone(String)
    /// Opened or updated, with the commit to be run.
    case pullRequest(PullRequestNews, PullRequestCommit)
    /// Merged or closed.
    case pullRequestOver(PullRequestNews)
    case comment(CommentNews, PullRequestCommit)
    case release(ReleaseNews, sha: String)
    /// There is nothing in it: `code` is one word for programs.
    case nothing(code: String, reason: String)
}

/// A delivery with what was found for each of its changes.
struct FoundDelivery: Sendable, Hashable {
    var delivery: StoredDelivery
    var findings: [Finding]
}

/// The commit that runs of a pull request are of.
struct PullRequestCommit: Sendable, Hashable {
    /// Its merge with the target where the forge has made one, else its newest.
    var sha: String
    /// `refs/pull/2/merge`; for a comment elsewhere the default branch.
    var ref: String
    /// It is on no branch of the repository.
    var fork: Bool
    var paths: [String]
    var truncated: Bool
    var message: String
}

/// A tag that is new or points to another commit.
struct TagChange: Sendable, Hashable {
    var tag: String
    /// `nil`: the tag is new.
    var before: String?
    var sha: String
    /// `nil`: it was there before tags were watched, and is only noted.
    var news: News?

    struct News: Sendable, Hashable {
        /// `Name <email>`.
        var author: String
        var email: String
        var message: String
    }
}
