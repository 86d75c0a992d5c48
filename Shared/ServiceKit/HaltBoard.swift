import EventLog
import Foundation
import Messages
import Store
import Synchronization

/// The logs that a service does not follow at the moment, for whoever looks at it.
package final class HaltBoard: Sendable {
    private let lines = Mutex<[String]>([])

    package init() {}

    /// One sentence for each halted log.
    package var notes: [String] { lines.withLock { $0 } }

    func note(_ halts: [HaltRecord], _ metrics: MetricsRegistry) {
        let texts = halts.map { halt in
            "halted: the log \(halt.fork.source) forked at \(halt.fork.epoch)/\(halt.fork.seq) and is not followed"
        }
        lines.withLock { $0 = texts }
        metrics.replace(
            "martlet_halted_logs", "Logs that are not followed because they forked.",
            with: halts.map { ([("source", $0.fork.source.name)], 1) })
    }
}
