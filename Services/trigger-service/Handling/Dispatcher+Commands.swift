import Foundation
import Messages
import ProjectFile
import Store

extension Dispatcher {
    /// People's wishes; each gets an answer.
    func command(_ envelope: Envelope, _ transaction: Transaction) throws {
        do {
            guard let done = try carryOut(envelope, transaction) else { return }
            try answer(envelope.id, envelope.consequence, run: done.run, note: done.note, transaction)
        } catch let refusal as Refusal {
            try answer(envelope.id, envelope.consequence, refused: refusal.reason, transaction)
        }
    }

    /// What came of a wish.
    private struct Done {
        /// That it is about.
        var run: String?
        /// What the person should know of it.
        var note: String?
    }

    /// `nil` when it is answered later or is not for us.
    private func carryOut(_ envelope: Envelope, _ transaction: Transaction) throws -> Done? {
        if let wish = try envelope.body(RunRequested.self) {
            try request(wish, envelope, transaction)
            return nil
        }
        if let wish = try envelope.body(RunCancelRequested.self) {
            try cancel(wish, by: envelope.actor, transaction)
            return Done(run: wish.run)
        }
        if let wish = try envelope.body(RunRetryRequested.self) {
            try retry(wish, by: envelope.actor, transaction)
            return Done(run: wish.run)
        }
        if let wish = try envelope.body(ReplayRequested.self) {
            try replay(wish, envelope, transaction)
            return nil
        }
        if let wish = try envelope.body(RepositoryAddRequested.self) {
            try add(wish, envelope, transaction)
            return Done()
        }
        if let wish = try envelope.body(RepositoryRemoveRequested.self) {
            try remove(wish, envelope, transaction)
            return Done()
        }
        if let wish = try envelope.body(ApprovalAnswered.self) {
            let person = Answerer(name: envelope.actor, email: wish.email)
            try answer(wish, by: person, because: envelope.consequence, transaction)
            return Done(run: try transaction.approval(wish.approval)?.run)
        }
        if let wish = try envelope.body(ApprovalRevokeRequested.self) {
            let person = Answerer(name: envelope.actor, email: wish.email)
            let note = try revoke(wish, by: person, because: envelope.consequence, transaction)
            return Done(run: try transaction.approval(wish.approval)?.run, note: note)
        }
        return nil
    }

    func answer(
        _ command: String, _ because: Causation, run: String? = nil, refused reason: String? = nil, note: String? = nil,
        _ transaction: Transaction
    ) throws {
        try transaction.publish(
            CommandAnswered(
                command: command, accepted: reason == nil, reason: (reason ?? note)?.shortened(), run: run),
            subject: "command/\(command)", key: run ?? command, because: because)
    }

    private func request(_ wish: RunRequested, _ envelope: Envelope, _ transaction: Transaction) throws {
        guard let project = try transaction.project(wish.project) else {
            throw Refusal(
                "there is no project '\(wish.project)'; add its repository with `martlet repo add`, and put its file on the"
                    + " default branch")
        }
        guard let repository = try transaction.repository(project.repository) else {
            throw Refusal("the repository '\(project.repository)' is not watched any more")
        }
        let branch = wish.branch ?? repository.defaultBranch ?? project.branch
        let head = try transaction.head(of: repository.name, branch: branch)
        if let sha = wish.sha, !GitNames.isShortCommit(sha) { throw Refusal("'\(sha)' is not a commit") }
        guard let sha = wish.sha ?? head else {
            throw Refusal("the repository '\(repository.name)' has no branch '\(branch)'")
        }
        let git = GitReference(
            repository: repository.name, url: repository.url, branch: branch, sha: sha, message: "")
        try take(Cause(wish, envelope, git: git), transaction)
    }

    private func cancel(_ wish: RunCancelRequested, by person: String, _ transaction: Transaction) throws {
        let reason = "canceled by \(person)" + (wish.reason.map { ": \($0)" } ?? "")
        let moved: Void? = try move(wish.run, transaction) { machine in
            if let outcome = machine.run.status.outcome {
                throw Refusal("run \(wish.run) is over already: \(outcome.rawValue)")
            }
            machine.cancel(reason)
        }
        if moved == nil, try !transaction.knowsRun(wish.run) { throw Refusal("there is no run '\(wish.run)'") }
    }

    private func whole(_ run: String, _ transaction: Transaction) throws -> StoredRun? {
        do {
            return try transaction.run(run)
        } catch is DecodingError {
            throw Refusal("what is stored of run \(run) is damaged: start another with `martlet run`")
        }
    }

    private func retry(_ wish: RunRetryRequested, by person: String, _ transaction: Transaction) throws {
        guard var stored = try whole(wish.run, transaction) else { throw Refusal("there is no run '\(wish.run)'") }
        guard let outcome = stored.run.status.outcome else { throw Refusal("run \(wish.run) is not over yet") }
        if outcome == .succeeded, !wish.all {
            throw Refusal("run \(wish.run) succeeded: there is nothing to be done again; ask for all of it")
        }
        let plan = try plan(of: stored.run, transaction)
        let old = stored.run
        stored.run.retry(all: wish.all, plan: plan)
        try transaction.update(stored.run, from: old)
        try announceQueued(stored.run, plan, reason: "run again by \(person)", transaction)
        try admit(transaction)
    }
}
