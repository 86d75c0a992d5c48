import Foundation
import Messages

/// One process of one step, as it is stored.
struct Execution: Sendable, Hashable {
    var item: String
    var run: String
    var job: String
    /// Only its process and that one's children carry this in their environment.
    var marker: String
    /// The boot of the machine in which it was begun.
    var boot: String
    /// The machine or container in which it was begun last; `nil` for what an older version began.
    var space: String?
    /// How often it was begun again because its container had ended under it.
    var restarts = 0
    var hasEnded: Bool
    var stop: Stop?
    var started: Timestamp

    /// Why we ended it ourselves. Stored before the first signal is sent.
    enum Stop: String, Sendable, Hashable, CaseIterable {
        case timeout, cancel
    }
}

/// What is found on the machine of an execution that was stored earlier.
struct Traces: Hashable {
    var exitCode: Int32?
    var isRunning: Bool
    var wasStarted: Bool
    var boot: String
    /// Where we look from.
    var space: String
    /// Whether a replica lives that sees the processes of the execution's own space.
    var isSpaceAlive: Bool
}

/// How an execution goes on.
enum Continuation: Hashable {
    case start
    case attach
    case ended(code: Int32)
    /// It goes on in another container, or ends there: its exit record will say.
    case elsewhere
    /// Its container has ended, and everything in it: nothing of it can still be at work.
    case again
    /// It had begun and is gone without a word: running it again might do things twice.
    case lost
}

extension Execution {
    static let markerName = "MARTLET_EXECUTION"
    /// What takes its container down again and again is not begun for ever.
    static let mostRestarts = 3

    /// The only rule about starting: it holds for a fresh row and after any crash of ours.
    func continuation(_ traces: Traces) -> Continuation {
        if let code = traces.exitCode { return .ended(code: code) }
        if traces.isRunning { return .attach }
        if let space, space != traces.space, traces.boot == boot {
            if traces.isSpaceAlive { return .elsewhere }
            return restarts < Self.mostRestarts ? .again : .lost
        }
        if traces.wasStarted { return .lost }
        // What a process noted before a loss of power may be lost with it, so another boot means: perhaps it ran.
        return traces.boot == boot ? .start : .lost
    }
}
