import Foundation
import Messages
import ServiceKit
import Store

extension Dispatcher {
    func add(_ wish: RepositoryAddRequested, _ envelope: Envelope, _ transaction: Transaction) throws {
        guard GitNames.isRepository(wish.repository) else {
            throw Refusal(
                "'\(wish.repository)' is no name for a repository: letters, digits, '-', '_' and '.', at most 100")
        }
        let address = try RepositoryAddress(wish.url)
        let hook = try Self.hook(wish)
        if var known = try transaction.repository(wish.repository) {
            if known.url == address.text {
                // Again with other settings: those that are given count from now on.
                known.hook.forge = hook.forge ?? known.hook.forge
                known.hook.address = hook.address ?? known.hook.address
                known.hook.secret = hook.secret ?? known.hook.secret
                known.ignoresForks = wish.ignoreForks ?? known.ignoresForks
                return try transaction.setHook(of: known)
            }
            throw Refusal("'\(wish.repository)' is watched already, at \(known.url); remove it first")
        }
        let seconds = wish.pollSeconds ?? (address.isLocal ? 1 : 5)
        guard seconds >= 0.2, seconds <= 86_400 else {
            throw Refusal("a poll interval of \(seconds) s is out of bounds; take 0.2 to 86400")
        }
        let repository = Repository(
            name: wish.repository, url: address.text, poll: .milliseconds(Int(seconds * 1000)),
            branches: wish.branches ?? [], hook: hook, ignoresForks: wish.ignoreForks ?? true,
            because: envelope.consequence)
        try transaction.insert(repository)
        try transaction.restoreHeads(of: repository)
        try transaction.publish(
            RepositoryAdded(repository: repository.name, url: repository.url, pollSeconds: seconds),
            subject: "repository/\(repository.name)", key: repository.name, because: envelope.consequence)
        try transaction.intend(IntentKind.watch, id: envelope.id, payload: repository.name)
    }

    private static func hook(_ wish: RepositoryAddRequested) throws -> Repository.Hook {
        var hook = Repository.Hook(address: wish.forgeURL, secret: wish.webhookSecret)
        if let name = wish.forge {
            guard let forge = Forge(rawValue: name) else {
                throw Refusal("'\(name)' is no forge; they are \(Forge.list)")
            }
            hook.forge = forge
        }
        if let address = wish.forgeURL { _ = try RepositoryAddress(address) }
        if let secret = wish.webhookSecret, !Secrets.isName(secret) {
            throw Refusal(
                "'\(secret)' is no secret's name: letters, digits, '_' and '-'; the secret itself stays in its file")
        }
        return hook
    }

    func remove(_ wish: RepositoryRemoveRequested, _ envelope: Envelope, _ transaction: Transaction) throws {
        guard try transaction.repository(wish.repository) != nil else {
            throw Refusal("there is no repository '\(wish.repository)'; `martlet repo list` shows them")
        }
        try transaction.deleteRepository(wish.repository)
        try transaction.publish(
            RepositoryRemoved(repository: wish.repository), subject: "repository/\(wish.repository)",
            key: wish.repository, because: envelope.consequence)
        try transaction.intend(IntentKind.watch, id: envelope.id, payload: wish.repository)
    }

    /// The repository could not be read.
    func unreachable(_ name: String, _ reason: String, _ transaction: Transaction) throws -> Duration? {
        guard var repository = try transaction.repository(name) else { return nil }
        repository.failures += 1
        let wait = BackOff.afterFailures(repository.failures)
        let next = transaction.now.advanced(by: wait)
        // One event for each new reason, and now and then while it lasts: not a stream of them.
        let tell = repository.reason != reason || repository.failures % 60 == 0
        repository.reason = reason
        try transaction.update(repository, nextAttempt: next)
        if tell {
            try transaction.publish(
                RepositoryUnreachable(
                    repository: name, reason: reason, attempts: repository.failures, nextAttempt: next),
                subject: "repository/\(name)", key: name, because: repository.because)
        }
        return wait
    }

    /// The repository was read: its branches as they are now, and what changed in each since it was read before.
    func observed(_ look: Look, _ transaction: Transaction) throws {
        guard var repository = try transaction.repository(look.repository) else { return }
        if repository.failures > 0 {
            try transaction.publish(
                RepositoryRecovered(repository: repository.name), subject: "repository/\(repository.name)",
                key: repository.name, because: repository.because)
        }
        let before = repository
        repository.seen = true
        repository.tagsSeen = true
        repository.failures = 0
        repository.reason = nil
        repository.defaultBranch = look.defaultBranch
        try transaction.update(repository, nextAttempt: nil)
        let heads = try transaction.heads(of: repository.name)
        for branch in look.gone { try deleted(branch, repository, transaction) }
        for change in look.changes {
            // Another look was faster: the next one compares anew.
            guard heads[change.branch] == change.before, heads[change.branch] != change.sha else { continue }
            try told(of: before, ChangePushed.eventType, at: change.sha, transaction) {
                try pushed(change, before, $0)
            } orElse: {
                try $0.setHead(change.sha, branch: change.branch, of: before.name)
            }
        }
        let tags = try DeliveryQueries.tags(of: repository.name, in: transaction.db)
        for tag in look.tagsGone { try transaction.setTag(nil, tag: tag, of: repository.name) }
        for change in look.tags where tags[change.tag] == change.before {
            try told(of: before, TagCreated.eventType, at: change.sha, transaction) {
                try tagged(change, before, $0)
            } orElse: {
                try $0.setTag(change.sha, tag: change.tag, of: before.name)
            }
        }
        if !before.isRead { try lookUp(deliveriesTo: repository, transaction) }
    }

    /// What comes to more than an event can tell is noted with that verdict, and keeps nothing else of the look from being
    /// told: it would come to the same the next time.
    private func told(
        of repository: Repository, _ type: String, at sha: String, _ transaction: Transaction,
        _ body: (Transaction) throws -> Void, orElse note: (Transaction) throws -> Void
    ) throws {
        do {
            try transaction.attempt(body)
        } catch let error as EventTooLarge {
            try note(transaction)
            let project = try transaction.project(ofRepository: repository.name)?.name ?? repository.name
            try transaction.publish(
                TriggerIgnored(
                    cause: sha, causeType: type, project: project, pipeline: "*", code: EventRoom.tooLarge,
                    reason: "\(error)"),
                subject: "repository/\(repository.name)", key: repository.name, because: repository.because)
        }
    }
}
