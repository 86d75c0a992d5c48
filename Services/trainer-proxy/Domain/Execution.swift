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
}

/// How an execution goes on.
enum Continuation: Hashable {
    case start
    case attach
    case ended(code: Int32)
    /// It had begun and is gone without a word: running it again might do things twice.
    case lost
}

extension Execution {
    static let markerName = "MARTLET_EXECUTION"

    /// The only rule about starting: it holds for a fresh row and after any crash of ours.
    func continuation(_ traces: Traces) -> Continuation {
        if let code = traces.exitCode { return .ended(code: code) }
        if traces.isRunning { return .attach }
        if traces.wasStarted { return .lost }
        // What a process noted before a loss of power may be lost with it, so another boot means: perhaps it ran.
        return traces.boot == boot ? .start : .lost
    }
}
