import Messages
import Store

extension Dispatcher {
    /// A branch is where it was not before; an event and a cause unless it is only noted.
    func pushed(
        _ change: BranchChange, _ repository: Repository, delivery: String? = nil, _ transaction: Transaction
    ) throws {
        try transaction.setHead(change.sha, branch: change.branch, of: repository.name)
        guard let news = change.news else { return }
        let (subject, key) = ("repository/\(repository.name)", repository.name)
        let because = Causation.first(actor: "user:\(news.email)")
        if change.before == nil, repository.seen {
            let created = try transaction.publish(
                BranchCreated(
                    repository: repository.name, url: repository.url, branch: change.branch, sha: change.sha),
                subject: subject, key: key, because: because)
            try heard(created, in: repository.name, transaction)
        }
        let body = ChangePushed(
            repository: repository.name, url: repository.url, branch: change.branch, before: change.before,
            sha: change.sha, paths: news.paths, pathsTruncated: news.truncated, author: news.author,
            message: news.message, delivery: delivery)
        let envelope = try transaction.publish(body.fitting(), subject: subject, key: key, because: because)
        try take(Cause(body, envelope), transaction)
    }

    func deleted(_ branch: String, _ repository: Repository, _ transaction: Transaction) throws {
        guard let before = try transaction.head(of: repository.name, branch: branch) else { return }
        try transaction.setHead(nil, branch: branch, of: repository.name)
        let envelope = try transaction.publish(
            BranchDeleted(repository: repository.name, url: repository.url, branch: branch, before: before),
            subject: "repository/\(repository.name)", key: repository.name, because: repository.because)
        try heard(envelope, in: repository.name, transaction)
    }

    /// A tag points where it did not before; an event and a cause unless it is only noted.
    func tagged(
        _ change: TagChange, _ repository: Repository, delivery: String? = nil, _ transaction: Transaction
    ) throws {
        try transaction.setTag(change.sha, tag: change.tag, of: repository.name)
        guard let news = change.news else { return }
        let body = TagCreated(
            repository: repository.name, url: repository.url, tag: change.tag, before: change.before, sha: change.sha,
            author: news.author, message: news.message, delivery: delivery)
        let envelope = try transaction.publish(
            body, subject: "repository/\(repository.name)", key: repository.name,
            because: .first(actor: "user:\(news.email)"))
        try take(Cause(body, envelope), transaction)
    }
}
