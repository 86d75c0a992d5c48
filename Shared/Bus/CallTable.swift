import Foundation

/// The requests of one client: which wait for a place, which are on their way, and when each has waited long enough.
///
/// Pure; `Ticket` is whatever the caller needs to answer whoever asked.
struct CallTable<Ticket> {
    struct Call {
        var frames: RequestFrames
        var deadline: Duration
        /// Until when it must have been sent, where there is another way; its deadline otherwise.
        var sendBy: Duration?
        var ticket: Ticket
    }

    private(set) var inFlight: [Data: Call] = [:]
    private var waiting: [Call] = []
    private let places: Int
    private let queue: Int

    init(places: Int = BusLimits.requestsInFlight, queue: Int = BusLimits.queuedRequests) {
        self.places = places
        self.queue = queue
    }

    /// `false`: the queue is full.
    mutating func add(_ call: Call) -> Bool {
        guard waiting.count < queue else { return false }
        waiting.append(call)
        return true
    }

    /// The oldest request that may be sent now, its deadline counted from now.
    func sendable(now: Duration) -> RequestFrames? {
        guard inFlight.count < places, let call = waiting.first else { return nil }
        var frames = call.frames
        frames.deadline = call.deadline - now
        return frames
    }

    /// The one that `sendable` named has gone out.
    mutating func sent() {
        let call = waiting.removeFirst()
        inFlight[call.frames.correlation] = call
    }

    /// `nil`: nobody waits for this answer any more.
    mutating func answered(_ correlation: Data) -> Ticket? {
        inFlight.removeValue(forKey: correlation)?.ticket
    }

    mutating func cancel(_ correlation: Data) -> Ticket? {
        if let index = waiting.firstIndex(where: { $0.frames.correlation == correlation }) {
            return waiting.remove(at: index).ticket
        }
        return answered(correlation)
    }

    /// What has waited long enough; `wasSent` tells a target that did not answer from a bus that was not there.
    mutating func expired(now: Duration) -> [(call: Call, wasSent: Bool)] {
        let late = inFlight.values.filter { $0.deadline <= now }
        for call in late { inFlight[call.frames.correlation] = nil }
        let unsent = waiting.filter { $0.mustGoBy <= now }
        if !unsent.isEmpty { waiting.removeAll { $0.mustGoBy <= now } }
        return late.map { ($0, true) } + unsent.map { ($0, false) }
    }

    /// The connection broke: no answer will come for what was on its way.
    mutating func disconnected() -> [Call] {
        defer { inFlight = [:] }
        return Array(inFlight.values)
    }

    mutating func removeAll() -> [Call] {
        defer { waiting = [] }
        return disconnected() + waiting
    }

    var nextDeadline: Duration? {
        let sent = inFlight.values.lazy.map(\.deadline).min()
        let unsent = waiting.lazy.map(\.mustGoBy).min()
        guard let sent, let unsent else { return sent ?? unsent }
        return min(sent, unsent)
    }
}

extension CallTable.Call {
    var mustGoBy: Duration { min(sendBy ?? deadline, deadline) }
}

extension CallTable.Call: Sendable where Ticket: Sendable {}
