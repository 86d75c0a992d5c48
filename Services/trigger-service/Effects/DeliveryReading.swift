import Foundation
import Messages
import ProjectFile
import ServiceKit
import Store

/// Finds out from git what forges told of: one look at a repository for all the deliveries that wait for it.
struct DeliveryReading: Sendable {
    let store: StateStore
    let dispatcher: Dispatcher
    let mirrors: Mirrors

    var effects: [String: Effect] {
        [
            IntentKind.deliver: { intent in
                do {
                    return try await read(intent.decode(String.self), after: intent.attempts)
                } catch {
                    return .later(reason: "\(error)")
                }
            }
        ]
    }

    /// How often one that cannot be looked up is tried again; the others wait behind it.
    private static func mostAttempts(after failure: Git.Failure) -> Int { failure.isTooMuch ? 1 : 5 }

    private func read(_ name: String, after attempts: Int) async throws -> EffectOutcome {
        let dispatcher = dispatcher
        let (known, waiting, heads, tags) = try await store.read { db in
            (
                try RepositoryQueries.repository(name, in: db),
                try DeliveryQueries.waiting(for: name, in: db),
                try RepositoryQueries.heads(of: name, in: db), try DeliveryQueries.tags(of: name, in: db)
            )
        }
        guard let known else { return .done { try dispatcher.delivered([], to: name, $0) } }
        // What the first look finds was there before: only then it is known what is new. That look goes on with this.
        guard known.isRead, !waiting.isEmpty else { return .done { try dispatcher.delivered([], to: name, $0) } }
        let address = try RepositoryAddress(known.url)
        let mirror = mirrors[name]
        try await mirror.fetch(from: address)
        let named = waiting.flatMap(\.changes).compactMap { change in
            if case .pushed(_, let after) = change { after } else { nil }
        }
        var look = DeliveryLook(
            repository: known, address: address, mirror: mirror, now: try await mirror.branches(),
            here: try await mirror.existing(of: Set(named)), heads: heads, tags: tags)
        var found: [FoundDelivery] = []
        for delivery in waiting {
            var findings: [Finding] = []
            for change in delivery.changes {
                do {
                    if let merge = try await look.merge(by: change) { findings.append(merge) }
                    findings.append(try await look.find(change))
                } catch let failure as Git.Failure where attempts >= Self.mostAttempts(after: failure) {
                    findings.append(.nothing(code: "unreadable", reason: failure.description))
                }
            }
            found.append(FoundDelivery(delivery: delivery, findings: findings))
        }
        return .done { [found] in try dispatcher.delivered(found, to: name, $0) }
    }
}

/// What deliveries mean, one after the other, for a repository as it is now.
private struct DeliveryLook {
    let repository: Repository
    let address: RepositoryAddress
    let mirror: Mirror
    /// What git says.
    let now: Branches
    /// The commits of the deliveries that git has.
    let here: Set<String>
    /// What is known, with what this look has found.
    var heads: [String: String]
    var tags: [String: String]

    mutating func find(_ change: ForgeChange) async throws -> Finding {
        switch change {
        case .pushed(let ref, let after):
            switch NamedReference(ref) {
            case .branch(let branch): return try await branchMoved(branch, after)
            case .tag(let tag): return try await tagMoved(tag, after)
            case nil: return .nothing(code: "reference", reason: "'\(ref)' is neither a branch nor a tag")
            }
        case .pullRequest(let news): return try await pullRequest(news)
        case .commented(let news): return try await comment(news)
        case .released(let news):
            guard let sha = now.tags[news.tag] ?? main.flatMap({ now.commits[$0] }) else {
                return Self.noCommit(news.tag)
            }
            return .release(news, sha: sha)
        }
    }

    private var main: String? { repository.defaultBranch }

    private static func noCommit(_ name: String) -> Finding {
        .nothing(code: "no_commit", reason: "the repository has no '\(name)'; it was moved or removed since")
    }

    /// What the forge says of a push is only where to look: whatever it names must be on the branch now.
    private mutating func branchMoved(_ branch: String, _ after: String?) async throws -> Finding {
        guard repository.branches.isEmpty || BranchFilter(repository.branches).admits(branch) else {
            return .nothing(
                code: "branch_not_watched", reason: "only \(repository.branches.joined(separator: ", ")) count")
        }
        let known = heads[branch]
        guard let after else {
            if now.commits[branch] != nil {
                return .nothing(code: "superseded", reason: "the branch '\(branch)' is there again")
            }
            guard heads.removeValue(forKey: branch) != nil else { return Self.seen("the end of '\(branch)'") }
            return .branchGone(branch)
        }
        if known == after { return Self.seen("commit \(after.prefix(12)) on '\(branch)'") }
        // A commit is an ancestor of itself.
        guard let head = now.commits[branch], after == head || here.contains(after),
            try await mirror.isAncestor(after, of: head)
        else {
            return .nothing(
                code: "superseded", reason: "commit \(after.prefix(12)) is not on '\(branch)': it was moved since")
        }
        if let known, try await mirror.isAncestor(after, of: known) {
            return Self.seen("commit \(after.prefix(12)) on '\(branch)', with a later one")
        }
        var change = BranchChange(branch: branch, before: known, sha: after)
        change.news = try await mirror.news(of: change, main: main.flatMap { now.commits[$0] })
        heads[branch] = after
        return .branch(change)
    }

    /// A merge moved its target as well. Its push is often told of later, and whatever the merge starts is to see it.
    mutating func merge(by change: ForgeChange) async throws -> Finding? {
        guard case .pullRequest(let news) = change, news.action == .merged, let head = now.commits[news.target],
            case .branch(let moved) = try await branchMoved(news.target, head)
        else { return nil }
        return .branch(moved)
    }

    private static func seen(_ what: String) -> Finding {
        .nothing(code: "already_seen", reason: "\(what) was seen before: by a look at git, or by another delivery")
    }

    private mutating func tagMoved(_ tag: String, _ after: String?) async throws -> Finding {
        guard let sha = now.tags[tag] else {
            guard tags.removeValue(forKey: tag) != nil else { return Self.noCommit("refs/tags/\(tag)") }
            return .tagGone(tag)
        }
        guard after != nil else { return .nothing(code: "superseded", reason: "the tag '\(tag)' is there again") }
        if tags[tag] == sha { return Self.seen("the tag '\(tag)'") }
        guard try await mirror.holds(sha) else {
            return .nothing(code: "no_commit", reason: "the tag '\(tag)' names no commit")
        }
        let change = TagChange(tag: tag, before: tags[tag], sha: sha, news: try await mirror.news(ofTag: sha))
        tags[tag] = sha
        return .tag(change)
    }

    private func pullRequest(_ news: PullRequestNews) async throws -> Finding {
        switch news.action {
        case .merged, .closed: return .pullRequestOver(news)
        case .opened, .updated: break
        }
        guard let commit = try await commit(of: news.number, newest: news.sha, target: news.target, fork: news.fork)
        else { return Self.noCommit(news.sha) }
        return .pullRequest(news, commit)
    }

    private func comment(_ news: CommentNews) async throws -> Finding {
        guard news.inPullRequest else {
            guard let main, let sha = now.commits[main] else { return Self.noCommit("default branch") }
            return .comment(
                news,
                PullRequestCommit(
                    sha: sha, ref: "refs/heads/\(main)", fork: false, paths: [], truncated: false, message: ""))
        }
        guard let commit = try await commit(of: news.number, newest: news.sha, target: nil, fork: false) else {
            return Self.noCommit("pull request \(news.number)")
        }
        return .comment(news, commit)
    }

    private func isOnBranch(_ commit: String) async throws -> Bool {
        guard try await mirror.holds(commit) else { return false }
        return try await mirror.isOnBranch(commit)
    }

    /// - Parameter fork: what the forge says; git is asked as well.
    private func commit(
        of number: Int, newest: String?, target: String?, fork: Bool
    ) async throws -> PullRequestCommit? {
        let refs = try await mirror.pullRequest(number, of: address)
        guard let newest = newest ?? refs.head else { return nil }
        if repository.ignoresForks {
            // Of a stranger whom nobody has let, nothing comes here.
            let isOurs = try await isOnBranch(newest)
            if fork || !isOurs {
                guard fork || newest == refs.head else { return nil }
                return PullRequestCommit(
                    sha: newest, ref: "refs/pull/\(number)/head", fork: true, paths: [], truncated: true, message: "")
            }
        }
        try await mirror.fetch(refs, from: address)
        guard try await mirror.holds(newest) else { return nil }
        // The forge makes the merge some time after the push: an older one is not what was asked for.
        let isMerged = if let merge = refs.merge { try await mirror.parents(of: merge).contains(newest) } else { false }
        let main = (target ?? main).flatMap { now.commits[$0] }
        let base = if let main { try await mirror.mergeBase(main, newest) } else { String?.none }
        let changed = try await mirror.changedPaths(from: base, to: newest)
        return PullRequestCommit(
            sha: (isMerged ? refs.merge : nil) ?? newest, ref: "refs/pull/\(number)/\(isMerged ? "merge" : "head")",
            fork: try await !mirror.isOnBranch(newest) || fork, paths: changed.paths, truncated: changed.truncated,
            message: try await mirror.commit(newest).message)
    }
}
