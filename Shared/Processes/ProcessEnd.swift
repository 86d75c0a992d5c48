import Glibc

/// How a process ended.
package enum ProcessEnd: Sendable, Hashable, CustomStringConvertible {
    case code(Int32)
    case signal(Int32)
    /// It is gone, was not our child, and left no exit code: its last word was lost.
    case unknown

    package var isSuccess: Bool { self == .code(0) }

    package var description: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let signal): "ended by signal \(signal)"
        case .unknown: "ended without an exit code"
        }
    }

    /// From `waitpid`; the macros of `wait.h` do not reach Swift.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .code((waitStatus >> 8) & 0xff) : .signal(signal)
    }
}

/// Why a process could not be started, watched or run to its end.
package enum ProcessError: Error, Sendable, Hashable, CustomStringConvertible {
    case notStarted(program: String, directory: String, reason: String)
    case notWatched(pid: Int32, reason: String)
    case timedOut(program: String, after: Duration)
    case tooMuchOutput(program: String, limit: Int)

    package var description: String {
        switch self {
        case .notStarted(let program, let directory, let reason):
            "cannot start '\(program)' in \(directory): \(reason)"
        case .notWatched(let pid, let reason):
            "cannot watch process \(pid): \(reason); Linux 5.3 or later is needed"
        case .timedOut(let program, let duration):
            "'\(program)' did not end within \(duration)"
        case .tooMuchOutput(let program, let limit):
            "'\(program)' wrote more than \(limit) bytes"
        }
    }
}
