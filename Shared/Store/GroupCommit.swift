import Foundation
import GRDB
import Synchronization

/// Lets writes that wait for the disk together share one fsync (bus.md 7): what queued up while the last commit ran,
/// at most 64 bodies, is committed at once. Nobody is ever made to wait for more to come.
final class GroupCommit: Sendable {
    private static let most = 64

    /// What one writer wants, and how it is told.
    private struct Job: Sendable {
        /// Runs in a savepoint; returns what to do once the fate of the commit is known.
        var run: @Sendable (Database, LogTips) -> Ending
        /// For when not even the transaction could begin.
        var refuse: @Sendable (any Error) -> Void
    }

    private typealias Ending = @Sendable ((any Error)?) -> Void

    private struct Pending {
        var jobs: [Job] = []
        var draining = false
    }

    private let pool: DatabasePool
    private let pending = Mutex(Pending())
    private let queue = DispatchQueue(label: "martlet.commit")

    init(pool: DatabasePool) { self.pool = pool }

    /// - Parameter committed: told of what is on disk now, in the order of the commits, before anybody else is.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (Database, LogTips) throws -> Value,
        committed: @escaping @Sendable (Value) -> Void
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let run: @Sendable (Database, LogTips) -> Ending = { db, tips in
                let result = Result { try db.savepoint { try body(db, tips) } }
                return { commitError in
                    switch (commitError, result) {
                    case (let error?, .success), (_, .failure(let error)): continuation.resume(throwing: error)
                    case (nil, .success(let value)):
                        committed(value)
                        continuation.resume(returning: value)
                    }
                }
            }
            enqueue(Job(run: run, refuse: { continuation.resume(throwing: $0) }))
        }
    }

    private func enqueue(_ job: Job) {
        let starts = pending.withLock { pending in
            pending.jobs.append(job)
            defer { pending.draining = true }
            return !pending.draining
        }
        if starts { queue.async { self.drain() } }
    }

    private func drain() {
        while true {
            let batch: [Job] = pending.withLock { pending in
                let batch = Array(pending.jobs.prefix(Self.most))
                pending.jobs.removeFirst(batch.count)
                if batch.isEmpty { pending.draining = false }
                return batch
            }
            if batch.isEmpty { return }
            commit(batch)
        }
    }

    private func commit(_ batch: [Job]) {
        var endings: [Ending]?
        var failure: (any Error)?
        do {
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    let tips = LogTips()
                    endings = batch.map { $0.run(db, tips) }
                    try tips.write(in: db)
                    return .commit
                }
            }
        } catch {
            failure = error
        }
        if let endings {
            for ending in endings { ending(failure) }
        } else {
            // BEGIN itself failed (a full disk, a lock held for 5 s): nothing ran, everybody is told.
            let error = failure ?? DatabaseError(resultCode: .SQLITE_INTERNAL)
            for job in batch { job.refuse(error) }
        }
    }
}
