import Foundation

/// Watches the bus's own heartbeat on the feed, and decides when the SUB is opened anew (bus.md 5).
struct BusWatch: Sendable, Equatable {
    static let patience = Duration.seconds(5)
    static let pauses: [Duration] = [.seconds(5), .seconds(10), .seconds(20), .seconds(30)]

    /// Begun when the bus was last heard, or when the SUB was last opened.
    private var since: Duration
    private var openings = 0
    private(set) var lastHeard: Duration?
    private var epoch: Int64?

    init(now: Duration) { since = now }

    /// - Returns: whether this is another bus, or another life of it: what was said in between is lost.
    mutating func heard(epoch: Int64, now: Duration) -> Bool {
        defer { self.epoch = epoch }
        lastHeard = now
        since = now
        openings = 0
        return self.epoch != epoch
    }

    /// A subscription was added: the next heartbeat shows that it is in effect.
    mutating func expectGreeting() { epoch = nil }

    /// When the SUB is to be closed and opened again.
    var deadline: Duration {
        guard openings > 0 else { return since + Self.patience }
        return since + Self.pauses[min(openings, Self.pauses.count) - 1]
    }

    mutating func reopened(now: Duration) {
        since = now
        openings += 1
        epoch = nil
    }
}
