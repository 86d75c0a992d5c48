import Messages

/// What one look at a repository found.
struct Look: Sendable, Hashable {
    var repository: String
    var defaultBranch: String?
    var changes: [BranchChange] = []
    /// Branches that are not there any more.
    var gone: [String] = []
    var tags: [TagChange] = []
    var tagsGone: [String] = []
}

/// A branch that points to another commit than when it was seen before.
struct BranchChange: Sendable, Hashable {
    var branch: String
    /// `nil`: the branch is new.
    var before: String?
    var sha: String
    /// `nil`: it was there before the repository was watched, and is only noted.
    var news: News?

    struct News: Sendable, Hashable {
        var paths: [String]
        var truncated: Bool
        /// `Name <email>`.
        var author: String
        var email: String
        var message: String
    }

    /// At most so many files are listed in an event.
    static let mostPaths = 3000
}

extension Look {
    /// Compares what was seen before with what is there now.
    ///
    /// - Parameter first: the repository was never read: only the default branch's head is news then, so that adding a
    ///   repository starts what its newest commit asks for, once.
    static func compare(
        _ old: [String: String], with new: [String: String], defaultBranch: String?, first: Bool
    ) -> (changes: [(change: BranchChange, isNews: Bool)], gone: [String]) {
        var changes: [(BranchChange, Bool)] = []
        // The default branch goes first: other branches are measured against a project that is known.
        let order = new.keys.sorted { ($0 == defaultBranch ? "" : $0) < ($1 == defaultBranch ? "" : $1) }
        for branch in order {
            guard let sha = new[branch], old[branch] != sha else { continue }
            changes.append(
                (BranchChange(branch: branch, before: old[branch], sha: sha), !first || branch == defaultBranch))
        }
        return (changes, old.keys.filter { new[$0] == nil }.sorted())
    }
}

extension ChangePushed {
    /// As it travels: an event is small, so a long list of files is cut. The verdict is passed on the whole list.
    func fitting(bytes most: Int = 24 << 10) -> ChangePushed {
        var copy = self
        (copy.paths, copy.pathsTruncated) = ChangedFiles.fitting(paths, truncated: pathsTruncated, bytes: most)
        return copy
    }
}
