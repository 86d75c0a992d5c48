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

    init(n: Int, intended: Int64, bytes: Int) {
        self.n = n
        self.intended = intended
        filling = String(repeating: "x", count: max(0, bytes - Self.frame))
    }
}

/// Nanoseconds of the clock that all processes of a machine share; Python's `time.monotonic_ns()`.
func monotonic() -> Int64 { Int64(DispatchTime.now().uptimeNanoseconds) }
