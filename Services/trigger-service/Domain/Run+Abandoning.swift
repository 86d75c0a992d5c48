import Messages

extension Run {
    /// Nothing can move it any more: it has failed, and what of it was not over is canceled.
    mutating func abandon(_ reason: String, at now: Timestamp) {
        for place in places {
            switch self[place].status.phase {
            case .delayed, .offered, .held:
                self[place].status.phase = .finished
                self[place].status.outcome = .canceled
                self[place].status.message = reason
                self[place].status.lease = nil
                self[place].status.canceling = false
            case .waiting, .finished:
                break
            }
        }
        for job in jobs.indices where jobs[job].status.phase != .finished {
            jobs[job].status.phase = .finished
            jobs[job].status.outcome = .canceled
            jobs[job].status.message = reason
        }
        status.phase = .finished
        status.outcome = .failed
        status.message = reason
        status.finished = now
    }
}

/// What can be said of a run when not all of it can be read.
struct RunHeader: Sendable, Hashable {
    var id: String
    var number: Int
    var project: String
    var pipeline: String
    var sha: String?
    /// The item of the `pipeline/start` that started it.
    var startedBy: String?
}
