import Dispatch
import Foundation
import Messages

/// The event of the benchmarks: its number, when it was meant to be sent, and as much filling as makes the size.
struct Tick: EventBody {
    static let name = "bench.ticked"
    static let source: Source? = nil
    static let summary = "An event of the benchmarks."

    var n: Int
    /// ``monotonic()``, in nanoseconds.
    var intended: Int64
    var filling: String

    /// Bytes of the event's JSON around an empty filling.
    private static let frame = 393

    /// As much as makes an event of so many bytes.
    static func filling(for bytes: Int) -> String { String(repeating: "x", count: max(0, bytes - frame)) }
}

/// Nanoseconds of the clock that all processes of a machine share; Python's `time.monotonic_ns()`.
func monotonic() -> Int64 { Int64(DispatchTime.now().uptimeNanoseconds) }
