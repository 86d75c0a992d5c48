import Messages
import Synchronization

/// The newest place of each log that this bus has heard of; gone with the process.
///
/// Shared by the forwarder, which hears events and heartbeats, and the router, which answers `hello`.
final class RememberedHeads: Sendable {
    struct Head: Sendable, Equatable, Comparable {
        var epoch: Int64
        var last: Int64

        static func < (left: Head, right: Head) -> Bool { (left.epoch, left.last) < (right.epoch, right.last) }
    }

    /// Names come from the network, so their number has a limit.
    private static let limit = 1024
    private let heads = Mutex<[String: Head]>([:])

    func observe(_ source: String, _ head: Head) {
        heads.withLock { heads in
            if let known = heads[source] {
                if known < head { heads[source] = head }
            } else if heads.count < Self.limit {
                heads[source] = head
            }
        }
    }

    func head(of source: String) -> Head? { heads.withLock { $0[source] } }
    var all: [String: Head] { heads.withLock { $0 } }
}
