import Foundation
import Messages
import Synchronization

/// The live side towards all buses of one connection: what is said goes to each, what is heard comes from each, and the
/// cursor drops what comes twice (bus.md 2).
final class LiveSide: Sendable {
    let loops: [LiveLoop]
    private let follows = Mutex<(next: Int, ids: [Int: [Int]])>((0, [:]))

    init(_ loops: [LiveLoop]) { self.loops = loops }

    /// When any of the buses was last heard.
    var lastHeardBus: ContinuousClock.Instant? { loops.compactMap(\.lastHeardBus).max() }

    /// - Returns: how many messages went out, in order, on the bus that took most before its socket was full. What another
    ///   one did not take is heard from this one, or fetched.
    func publish(_ messages: [[Data]]) async -> Int {
        guard loops.count > 1 else { return await loops.first?.publish(messages) ?? 0 }
        return await withTaskGroup { group in
            for loop in loops { group.addTask { await loop.publish(messages) } }
            return await group.reduce(0, max)
        }
    }

    /// Over the first bus that is there: telemetry is not numbered, so nobody could drop what comes twice.
    func publishTelemetry(_ message: [Data]) {
        let alive = loops.first { $0.isBusThere } ?? loops.first
        alive?.publishTelemetry(message)
    }

    func follow(_ source: Source, into ring: FeedRing) -> Int {
        keep(loops.map { $0.follow(source, into: ring) })
    }

    func unfollow(_ id: Int) {
        for (loop, id) in zip(loops, forget(id)) { loop.unfollow(id) }
    }

    /// - Parameter tell: called on a sockets' thread, must not block.
    func hear(_ prefix: String, _ tell: @escaping @Sendable (TelemetryMessage) -> Void) -> Int {
        keep(loops.map { $0.hear(prefix, tell) })
    }

    func unhear(_ id: Int) {
        for (loop, id) in zip(loops, forget(id)) { loop.unhear(id) }
    }

    private func keep(_ ids: [Int]) -> Int {
        follows.withLock { follows in
            follows.next += 1
            follows.ids[follows.next] = ids
            return follows.next
        }
    }

    private func forget(_ id: Int) -> [Int] { follows.withLock { $0.ids.removeValue(forKey: id) } ?? [] }

    func stop() { for loop in loops { loop.stop() } }
}
