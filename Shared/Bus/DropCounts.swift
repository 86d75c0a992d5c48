import Foundation
import Synchronization

/// How many messages were dropped, by reason; for metrics.
package final class DropCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    package init() {}

    package func add(_ reason: String, _ count: Int = 1) {
        counts.withLock { $0[reason, default: 0] += count }
    }

    package var byReason: [String: Int] { counts.withLock { $0 } }
}
