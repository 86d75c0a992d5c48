import Foundation
import Messages

/// What a step's process came to, for people.
struct Verdict: Sendable, Hashable {
    var outcome: Outcome
    /// `nil` only for success.
    var message: String?

    static let succeeded = Verdict(outcome: .succeeded, message: nil)

    static func failed(_ message: String, tail: [String] = []) -> Verdict {
        // It travels in events.
        Verdict(outcome: .failed, message: ([message] + tail).joined(separator: "\n").shortened())
    }

    static func timedOut(after seconds: Int, tail: [String]) -> Verdict {
        failed("timed out after \(seconds) s", tail: tail)
    }

    static let canceled = Verdict(outcome: .canceled, message: "canceled")

    static let lost = Verdict.failed(
        "lost: the process disappeared and left no exit code, as when the machine restarts; "
            + "start the run again if it may be repeated")
}
