import Foundation
import Processes

extension Mirror {
    /// What a forge keeps of a pull request beside the branches.
    struct PullRequestReferences: Sendable, Hashable {
        var head: String?
        /// Made by the forge: the request merged into its target.
        var merge: String?
        /// Under which it keeps them.
        var names: [String] = []
    }

    /// Asks the forge; whatever it does not have is left out, and nothing is brought here.
    func pullRequest(_ number: Int, of address: RepositoryAddress) async throws -> PullRequestReferences {
        // GitHub, Gitea and Azure DevOps have the first form, GitLab the second.
        let names = ["refs/pull/\(number)", "refs/merge-requests/\(number)"].flatMap { ["\($0)/head", "\($0)/merge"] }
        let listing = try await git.run(
            ["ls-remote", "--quiet", "--", address.text] + names, doing: "ls-remote", timeout: .seconds(30))
        var references = PullRequestReferences()
        for line in listing.text.split(separator: "\n") {
            let parts = line.split(separator: "\t").map(String.init)
            guard parts.count == 2, names.contains(parts[1]), GitNames.isCommit(parts[0]) else { continue }
            if parts[1].hasSuffix("/head") { references.head = parts[0] } else { references.merge = parts[0] }
            references.names.append(parts[1])
        }
        return references
    }

    /// Brings a pull request's commits here, of a fork's too.
    func fetch(_ request: PullRequestReferences, from address: RepositoryAddress) async throws {
        if !request.names.isEmpty { try await fetch(request.names.map { "+\($0):\($0)" }, from: address) }
    }

    /// Whether somebody who may push here has put the commit on a branch.
    func isOnBranch(_ commit: String, orTag: Bool = false) async throws -> Bool {
        let output = try await git.run(
            place + ["for-each-ref", "--count=1", "--contains=\(commit)", "--format=%(refname)", "refs/heads/"]
                + (orTag ? ["refs/tags/"] : []),
            doing: "for-each-ref")
        return !output.text.isEmpty
    }

    /// Which of these commits are here: one process, however many there are.
    func existing(of commits: Set<String>) async throws -> Set<String> {
        if commits.isEmpty { return [] }
        let output = try await git.run(
            place + ["rev-list", "--no-walk", "--ignore-missing"] + commits.sorted() + ["--"], doing: "rev-list")
        return commits.intersection(output.text.split(separator: "\n").map(String.init))
    }

    func isAncestor(_ commit: String, of other: String) async throws -> Bool {
        try await git.attempt(place + ["merge-base", "--is-ancestor", commit, other], doing: "merge-base").end.isSuccess
    }

    func parents(of commit: String) async throws -> [String] {
        let output = try await git.run(place + ["show", "-s", "--format=%P", commit, "--"], doing: "show")
        return output.text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// What changed in a branch: since it was seen before, else since it left the default branch.
    func news(of change: BranchChange, main: String?) async throws -> BranchChange.News {
        var base = change.before
        if let before = base, try await !holds(before) { base = nil }
        if base == nil, let main, main != change.sha { base = try await mergeBase(main, change.sha) }
        let changed = try await changedPaths(from: base, to: change.sha)
        let commit = try await commit(change.sha)
        return BranchChange.News(
            paths: changed.paths, truncated: changed.truncated, author: commit.author, email: commit.email,
            message: commit.message)
    }

    func news(ofTag sha: String) async throws -> TagChange.News {
        let commit = try await commit(sha)
        return TagChange.News(author: commit.author, email: commit.email, message: commit.message)
    }
}
