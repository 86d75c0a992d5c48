import Messages
import Store

extension Dispatcher {
    /// Takes a webhook in: what it tells of is looked up in git once this is stored.
    ///
    /// - Parameter refusal: why there is nothing to look up.
    /// - Returns: `false` when it was delivered before.
    func accept(
        _ delivery: StoredDelivery, refusal: (code: String, reason: String)?, _ transaction: Transaction
    ) throws -> Bool {
        guard try transaction.insert(delivery, waits: refusal == nil) else { return false }
        if let refusal {
            try ignore(delivery, code: refusal.code, refusal.reason, transaction)
        } else {
            try transaction.intend(IntentKind.deliver, id: delivery.repository, payload: delivery.repository)
        }
        return true
    }

    /// A delivery that starts nothing has a verdict like any other cause.
    private func ignore(_ delivery: StoredDelivery, code: String, _ reason: String, _ transaction: Transaction) throws {
        let project = try transaction.project(ofRepository: delivery.repository)?.name ?? delivery.repository
        try transaction.publish(
            TriggerIgnored(
                cause: delivery.id, causeType: "webhook.\(delivery.forge.rawValue).\(delivery.event)",
                project: project.isEmpty ? "*" : project, pipeline: "*", code: code,
                reason: reason.shortened(to: 4 << 10)),
            subject: "delivery/\(delivery.reference)", key: delivery.repository.isEmpty ? "*" : delivery.repository,
            because: .first(actor: "service:\(delivery.forge.rawValue)"))
    }

    /// What was found for deliveries, in their order.
    func delivered(_ found: [FoundDelivery], to name: String, _ transaction: Transaction) throws {
        guard let repository = try transaction.repository(name) else {
            return try transaction.settleDeliveries(of: name)
        }
        for one in found where try transaction.isWaiting(one.delivery) {
            guard try take(one, repository, transaction) else {
                // A look at git was faster: what was found is measured anew.
                return try transaction.intend(IntentKind.deliver, id: name, payload: name)
            }
            try transaction.settle(one.delivery)
        }
        try lookUp(deliveriesTo: repository, transaction)
    }

    /// One that comes to more than an event can tell has that as its verdict, and holds up no other.
    private func take(
        _ found: FoundDelivery, _ repository: Repository, _ transaction: Transaction
    ) throws -> Bool {
        var isSo = true
        do {
            try transaction.attempt { transaction in
                for finding in found.findings where isSo {
                    isSo = try take(finding, of: found.delivery, repository, transaction)
                }
            }
        } catch let error as EventTooLarge {
            try ignore(found.delivery, code: EventRoom.tooLarge, "\(error)", transaction)
        }
        return isSo
    }

    /// Goes on with those that wait, unless the repository's first look is still to come: that one goes on with them.
    ///
    /// While a forge sends more than is looked up, what it sends is stored first, and looked up twice a second.
    func lookUp(deliveriesTo repository: Repository, _ transaction: Transaction) throws {
        guard repository.isRead, let waiting = try transaction.deliveries(waitingFor: repository.name) else { return }
        let isFlood = waiting.areMany && waiting.newest > transaction.now.advanced(by: .seconds(-1))
        try transaction.intend(
            IntentKind.deliver, id: repository.name, payload: repository.name,
            at: isFlood ? transaction.now.advanced(by: .milliseconds(500)) : nil)
    }

    /// `false`: what it was measured against is not so any more.
    private func take(
        _ finding: Finding, of delivery: StoredDelivery, _ repository: Repository, _ transaction: Transaction
    ) throws -> Bool {
        switch finding {
        case .branch(let change):
            let head = try transaction.head(of: repository.name, branch: change.branch)
            guard head == change.before else { return false }
            try pushed(change, repository, delivery: delivery.reference, transaction)
        case .branchGone(let branch):
            try deleted(branch, repository, transaction)
        case .tag(let change):
            guard try transaction.tag(change.tag, of: repository.name) == change.before else { return false }
            try tagged(change, repository, delivery: delivery.reference, transaction)
        case .tagGone(let tag):
            try transaction.setTag(nil, tag: tag, of: repository.name)
        case .pullRequest(let news, let commit):
            try requested(news, commit, of: delivery, repository, transaction)
        case .pullRequestOver(let news):
            try requestOver(news, of: delivery, repository, transaction)
        case .comment(let news, let commit):
            try commented(news, commit, of: delivery, repository, transaction)
        case .release(let news, let sha):
            let envelope = try transaction.publish(
                ReleasePublished(
                    repository: repository.name, url: repository.url, tag: news.tag,
                    title: news.title.shortened(to: 1 << 10), author: news.author.shortened(to: 200),
                    prerelease: news.prerelease, sha: sha, page: news.page?.shortened(to: 2 << 10),
                    delivery: delivery.reference),
                subject: "repository/\(repository.name)", key: repository.name,
                because: .first(actor: delivery.forge.actor(news.author)))
            try heard(envelope, in: repository.name, transaction)
        case .nothing(let code, let reason):
            try ignore(delivery, code: code, reason, transaction)
        }
        return true
    }

    private func requested(
        _ news: PullRequestNews, _ commit: PullRequestCommit, of delivery: StoredDelivery, _ repository: Repository,
        _ transaction: Transaction
    ) throws {
        let known = try transaction.pullRequest(news.number, of: repository.name)
        let now = KnownPullRequest(sha: news.sha, target: news.target, state: .open)
        guard known != now else {
            return try ignore(
                delivery, code: "already_seen",
                "pull request \(news.number) was told of at commit \(news.sha.prefix(12)) before", transaction)
        }
        try transaction.save(now, news.number, of: repository.name)
        let body = PullRequestOpened(
            repository: repository.name, url: repository.url, pullRequest: PullRequest(news, fork: commit.fork),
            sha: commit.sha, paths: commit.paths, pathsTruncated: commit.truncated,
            message: commit.message.shortened(to: 1 << 10), delivery: delivery.reference)
        let fitting = body.fitting()
        let because = Causation.first(actor: delivery.forge.actor(news.author))
        let (subject, key) = ("repository/\(repository.name)", repository.name)
        let envelope =
            if news.action == .opened {
                try transaction.publish(fitting, subject: subject, key: key, because: because)
            } else {
                try transaction.publish(PullRequestUpdated(fitting), subject: subject, key: key, because: because)
            }
        if commit.fork, repository.ignoresForks {
            return try ignore(
                delivery, code: "fork",
                "pull request \(news.number) comes from a fork, whose code runs here only after 'martlet repo add --forks'",
                transaction)
        }
        try take(Cause(body, commit, envelope, action: news.action), transaction)
    }

    private func requestOver(
        _ news: PullRequestNews, of delivery: StoredDelivery, _ repository: Repository, _ transaction: Transaction
    ) throws {
        let state = news.action == .merged ? KnownPullRequest.State.merged : .closed
        // Some forges tell of a merge twice, in two kinds of events.
        if let known = try transaction.pullRequest(news.number, of: repository.name), known.state == state {
            return try ignore(
                delivery, code: "already_seen", "pull request \(news.number) was told to be \(state.rawValue) before",
                transaction)
        }
        try transaction.save(
            KnownPullRequest(sha: news.sha, target: news.target, state: state), news.number, of: repository.name)
        let request = PullRequest(news, fork: news.fork)
        let because = Causation.first(actor: delivery.forge.actor(news.author))
        let (subject, key) = ("repository/\(repository.name)", repository.name)
        let envelope: Envelope
        if state == .merged {
            envelope = try transaction.publish(
                PullRequestMerged(
                    repository: repository.name, url: repository.url, pullRequest: request,
                    merged: news.merged?.shortened(to: 100), delivery: delivery.reference),
                subject: subject, key: key, because: because)
        } else {
            envelope = try transaction.publish(
                PullRequestClosed(
                    repository: repository.name, url: repository.url, pullRequest: request,
                    delivery: delivery.reference),
                subject: subject, key: key, because: because)
        }
        try heard(envelope, in: repository.name, transaction)
    }

    private func commented(
        _ news: CommentNews, _ commit: PullRequestCommit, of delivery: StoredDelivery, _ repository: Repository,
        _ transaction: Transaction
    ) throws {
        let body = Commented(
            repository: repository.name, url: repository.url, number: news.number, inPullRequest: news.inPullRequest,
            text: news.text.shortened(to: 16 << 10), author: news.author.shortened(to: 200),
            association: news.association?.shortened(to: 100), sha: commit.sha, fork: commit.fork,
            page: news.page?.shortened(to: 2 << 10), delivery: delivery.reference)
        let envelope = try transaction.publish(
            body, subject: "repository/\(repository.name)", key: repository.name,
            because: .first(actor: delivery.forge.actor(news.author)))
        if commit.fork, repository.ignoresForks {
            return try ignore(
                delivery, code: "fork",
                "the comment is on a fork's pull request, whose code runs here only after 'martlet repo add --forks'",
                transaction)
        }
        try take(Cause(body, commit, envelope), transaction)
    }
}
