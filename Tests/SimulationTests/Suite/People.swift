import Foundation
import GRDB
import Messages
import Store
import Synchronization

@testable import Console
@testable import ServiceKit

/// Those who ask for things at the console: what they wanted and have not got yet is theirs to ask for again.
final class People: Sendable {
    enum Wish: Sendable {
        case repository
        case run(String)
        case cancel
        case retry
    }

    private struct State {
        /// With the key that makes a second asking the same as the first.
        var wishes: [(key: String, wish: Wish)] = []
        var asked = 0
        var approves = true
    }

    private let state = Mutex(State())
    private static let ann = Person(token: "t", name: "ann", role: .admin, groups: [])
    private static let bob = Person(token: "u", name: "bob", role: .admin, groups: [])

    func want(_ wish: Wish) {
        state.withLock { state in
            state.asked += 1
            state.wishes.append(("wish-\(state.asked)", wish))
        }
    }

    var isContent: Bool { state.withLock { $0.wishes.isEmpty } }

    func parts(_ context: ServiceContext) -> ServiceParts {
        ServiceParts(
            subscriptions: Source.all,
            handle: { event, transaction in
                try Projection.take(event.envelope, at: event.position, in: transaction.db)
            },
            background: [Loop { await self.ask(context) }])
    }

    private func ask(_ context: ServiceContext) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 20...200)))
            if let (key, wish) = state.withLock({ $0.wishes.first }) {
                let isDone = await Self.isAsked(wish, key, context)
                // Answered, but did the answer arrive? A person who is not sure asks again.
                if isDone, Int.random(in: 0..<5) > 0 {
                    state.withLock { $0.wishes.removeAll { $0.key == key } }
                }
            }
            try? await context.store.write { try Self.approve($0) }
            try? await context.store.write { try Self.revoke($0) }
        }
    }

    private static func isAsked(_ wish: Wish, _ key: String, _ context: ServiceContext) async -> Bool {
        do {
            return try await context.store.write { try Self.ask(wish, key, $0) }
        } catch is Refusal {
            // The first asking had arrived, and was for a run that is not the newest any more.
            return true
        } catch {
            return false
        }
    }

    private static func ask(_ wish: Wish, _ key: String, _ transaction: Transaction) throws -> Bool {
        func command(_ body: some EventBody, _ subject: String, _ about: String) throws {
            _ = try transaction.command(body, subject: subject, key: about, by: ann, idempotency: key)
        }
        func run(_ condition: String) throws -> String? {
            try String.fetchOne(transaction.db, sql: "SELECT id FROM runs WHERE \(condition) ORDER BY id DESC LIMIT 1")
        }
        switch wish {
        case .repository:
            try command(
                RepositoryAddRequested(repository: "demo", url: Forge.url, pollSeconds: 0.5, branches: nil),
                "repository/demo", "repository/demo")
        case .run(let pipeline):
            guard try String.fetchOne(transaction.db, sql: "SELECT name FROM projects") != nil else { return false }
            try command(
                RunRequested(project: "demo", pipeline: pipeline, branch: nil, sha: nil, parameters: [:]),
                "project/demo", "project/demo")
        case .cancel:
            guard let id = try run("state <> 'finished'") else { return true }
            try command(RunCancelRequested(run: id, reason: nil), "run/\(id)", id)
        case .retry:
            guard let id = try run("state = 'finished'") else { return true }
            try command(RunRetryRequested(run: id, all: false), "run/\(id)", id)
        }
        return true
    }

    /// Somebody thinks better of every fourth release, if it is not too late.
    private static func revoke(_ transaction: Transaction) throws {
        let granted = try Row.fetchAll(
            transaction.db, sql: "SELECT id, run FROM approvals WHERE state = 'granted' AND pipeline = 'release'")
        for row in granted {
            let (id, run): (String, String) = (row["id"], row["run"])
            guard id.utf8.reduce(0, { $0 &+ Int($1) }) % 4 == 0 else { continue }
            _ = try transaction.command(
                ApprovalRevokeRequested(approval: id, groups: []), subject: "approval/\(id)", key: run, by: bob,
                idempotency: "revoke-\(id)")
        }
    }

    private static func approve(_ transaction: Transaction) throws {
        let waiting = try Row.fetchAll(transaction.db, sql: "SELECT id, run FROM approvals WHERE state = 'waiting'")
        for row in waiting {
            let (id, run): (String, String) = (row["id"], row["run"])
            let approve = id.utf8.reduce(0) { $0 &+ Int($1) } % 6 > 0
            _ = try transaction.command(
                ApprovalAnswered(approval: id, approve: approve, comment: nil, groups: []), subject: "approval/\(id)",
                key: run, by: bob, idempotency: "approve-\(id)")
        }
    }
}
