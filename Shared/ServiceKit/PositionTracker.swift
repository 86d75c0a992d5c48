import EventLog
import Foundation
import Messages

/// Knows how far this service has applied each log, and lets a step wait for what it must have seen.
actor PositionTracker {
    private struct Waiter {
        var positions: [LogPosition]
        var resume: CheckedContinuation<Void, Never>
    }

    private let followed: Set<Source>
    private var reached: [Source: (epoch: Int64, seq: Int64)] = [:]
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0

    init(followed: Set<Source>) { self.followed = followed }

    func reached(_ source: Source, epoch: Int64, seq: Int64) {
        // A look into the database may come later than what was applied meanwhile.
        if let known = reached[source], (epoch, seq) < known { return }
        reached[source] = (epoch, seq)
        for (id, waiter) in waiters where waiter.positions.allSatisfy(covers) {
            waiters[id] = nil
            waiter.resume.resume()
        }
    }

    /// Returns once all positions of followed logs are applied, or when the task is cancelled.
    func wait(for positions: [LogPosition]) async {
        let needed = positions.filter { followed.contains($0.source) }
        if needed.allSatisfy(covers) { return }
        let id = nextWaiter
        nextWaiter += 1
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled || needed.allSatisfy(covers) {
                    continuation.resume()
                } else {
                    waiters[id] = Waiter(positions: needed, resume: continuation)
                }
            }
        } onCancel: {
            Task { await self.giveUp(id) }
        }
    }

    private func giveUp(_ id: Int) { waiters.removeValue(forKey: id)?.resume.resume() }

    private func covers(_ position: LogPosition) -> Bool {
        guard let (epoch, seq) = reached[position.source] else { return position.seq == 0 }
        return epoch > position.epoch || (epoch == position.epoch && seq >= position.seq)
    }
}
