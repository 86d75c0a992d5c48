import Foundation
import Logging
import Messages
import ProjectFile
import Store

/// Looks at every watched repository again and again, each at its own pace.
actor RepositoryWatcher {
    private let store: StateStore
    private let dispatcher: Dispatcher
    private let mirrors: Mirrors
    private let logger: Logger
    private var loops: [String: (url: String, task: Task<Void, Never>)] = [:]

    init(store: StateStore, dispatcher: Dispatcher, mirrors: Mirrors, logger: Logger) {
        self.store = store
        self.dispatcher = dispatcher
        self.mirrors = mirrors
        self.logger = logger
    }

    /// Begins with what was added and ends with what was removed.
    func reload() async throws {
        let wanted = try await store.read { try RepositoryQueries.all(in: $0) }
        for (name, loop) in loops where !wanted.contains(where: { $0.name == name && $0.url == loop.url }) {
            loop.task.cancel()
            loops[name] = nil
        }
        for repository in wanted where loops[repository.name] == nil {
            loops[repository.name] = (repository.url, Task { await self.watch(repository) })
        }
    }

    func run() async {
        while !Task.isCancelled {
            do {
                try await reload()
                break
            } catch {
                logger.warning("the repositories could not be read from the database, trying again: \(error)")
                try? await Task.sleep(for: .seconds(1))
            }
        }
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        for loop in loops.values { loop.task.cancel() }
    }

    private nonisolated func watch(_ repository: Repository) async {
        var observer = RepositoryObserver(
            name: repository.name, store: store, dispatcher: dispatcher, mirror: mirrors[repository.name])
        while !Task.isCancelled {
            var wait = repository.poll
            do {
                if let backOff = try await observer.look() { wait = max(wait, backOff) }
            } catch {
                // Stopped in the middle of a look: nothing of it was stored, and nothing is wrong.
                if Task.isCancelled { return }
                logger.warning("repository \(repository.name): \(error)")
                wait = max(wait, .seconds(1))
            }
            try? await Task.sleep(for: wait)
        }
    }
}

/// Where our copies of the repositories are.
struct Mirrors: Sendable {
    let folder: String
    var git = Git()

    /// Names are checked before they are stored: none leaves the folder.
    subscript(repository: String) -> Mirror { Mirror(path: "\(folder)/\(repository).git", git: git) }
}

/// One repository, looked at by one loop.
struct RepositoryObserver {
    let name: String
    let store: StateStore
    let dispatcher: Dispatcher
    let mirror: Mirror
    private var references = LocalReferences()

    init(name: String, store: StateStore, dispatcher: Dispatcher, mirror: Mirror) {
        self.name = name
        self.store = store
        self.dispatcher = dispatcher
        self.mirror = mirror
    }

    /// Looks once and stores what is new. Returns how long to leave the repository alone when it could not be read.
    mutating func look() async throws -> Duration? {
        let name = name
        let (known, heads, tags) = try await store.read { db in
            (
                try RepositoryQueries.repository(name, in: db), try RepositoryQueries.heads(of: name, in: db),
                try DeliveryQueries.tags(of: name, in: db)
            )
        }
        guard let known else { return nil }
        var stored = false
        // What was seen but not stored must be looked at again.
        defer { if !stored { references = LocalReferences() } }
        do {
            let address = try RepositoryAddress(known.url)
            if let path = address.path, !references.mayHaveMoved(in: path), known.seen, known.tagsSeen,
                known.failures == 0
            {
                stored = true
                return nil
            }
            if let look = try await compare(known, heads, tags, address) {
                let dispatcher = dispatcher
                try await store.write { try dispatcher.observed(look, $0) }
            }
            stored = true
            return nil
        } catch let failure as Git.Failure {
            return try await unreachable(failure.description)
        } catch let refusal as Refusal {
            return try await unreachable(refusal.reason)
        }
    }

    private func unreachable(_ reason: String) async throws -> Duration? {
        let (name, dispatcher) = (name, dispatcher)
        return try await store.write { try dispatcher.unreachable(name, reason, $0) }
    }

    /// `nil`: nothing is new.
    private func compare(
        _ known: Repository, _ heads: [String: String], _ tags: [String: String], _ address: RepositoryAddress
    ) async throws -> Look? {
        let there = try await mirror.git.branches(of: address)
        let watched = Self.watched(there.commits, known)
        if known.seen, known.tagsSeen, known.failures == 0, watched == heads, there.tags == tags { return nil }
        if watched.isEmpty, there.tags.isEmpty {
            return Look(repository: known.name, gone: heads.keys.sorted(), tagsGone: tags.keys.sorted())
        }
        try await mirror.fetch(from: address)
        // What was fetched may be newer than what was listed: the copy is what counts from here on.
        let now = try await mirror.branches()
        let commits = Self.watched(now.commits, known)
        // HEAD of a folder where somebody works is what is checked out just now: the first answer stands there.
        let (head, before) =
            address.isLocal ? (known.defaultBranch, there.head) : (there.head, known.defaultBranch)
        let main = GitNames.defaultBranch(head: head, before: before, branches: commits.keys)
        var look = Look(repository: known.name, defaultBranch: main)
        let (changes, gone) = Look.compare(heads, with: commits, defaultBranch: main, first: !known.seen)
        look.gone = gone
        for (change, isNews) in changes {
            var change = change
            if isNews { change.news = try await mirror.news(of: change, main: main.flatMap { commits[$0] }) }
            look.changes.append(change)
        }
        look.tagsGone = tags.keys.filter { now.tags[$0] == nil }.sorted()
        for (tag, sha) in now.tags.sorted(by: { $0.key < $1.key }) where tags[tag] != sha {
            var change = TagChange(tag: tag, before: tags[tag], sha: sha)
            // A tag may name a file too: nothing can be run of that.
            if known.tagsSeen, try await mirror.holds(sha) { change.news = try await mirror.news(ofTag: sha) }
            look.tags.append(change)
        }
        return look
    }

    private static func watched(_ commits: [String: String], _ repository: Repository) -> [String: String] {
        if repository.branches.isEmpty { return commits }
        let filter = BranchFilter(repository.branches)
        return commits.filter { filter.admits($0.key) }
    }
}
