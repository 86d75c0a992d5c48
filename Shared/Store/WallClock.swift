import Foundation
import Messages

/// What time it is; tests hand in their own.
package struct WallClock: Sendable {
    package let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

    package static let system = WallClock { Timestamp(Date()) }
}
