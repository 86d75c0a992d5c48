import Bus
import Foundation
import Messages

/// What comes up the feed: subscriptions, and what a hostile subscriber sends instead.
///
/// With keys every subscription is put into effect here, for the one peer that sent it. libzmq 4.3.4 finds that peer by
/// counting, and loses count when somebody sends upstream what is no subscription: what follows is then not believed,
/// whoever did it is shut out, and the feed is opened anew.
struct FeedDoor {
    enum Outcome: Equatable {
        case nothing
        /// Somebody subscribed to this bus's heartbeat, who then hears it at once: their other subscriptions, made
        /// before, are in effect too.
        case greet
        case reopen
    }

    static let topic = Data("h/\(Source.eventBus)".utf8)
    let isKeyed: Bool
    /// Until the bus starts again.
    private(set) var shutOut: Set<PeerKey> = []
    private var ledger = SubscriptionLedger()

    init(isKeyed: Bool) { self.isKeyed = isKeyed }

    /// A new socket: nobody has subscribed to anything yet, and whoever comes back subscribes anew.
    mutating func opened() { ledger = SubscriptionLedger() }

    mutating func receive(from feed: borrowing Socket, _ gate: LiveGate, _ counts: BusCounts) -> Outcome {
        var outcome = Outcome.nothing
        var isBelieved = true
        let known = shutOut.count
        while let (frame, _, key) = feed.receiveFrame() {
            guard let kind = frame.first, kind <= 1 else {
                deny(.upstream, key, gate, counts)
                if isKeyed { (isBelieved, outcome) = (false, .reopen) }
                continue
            }
            guard isBelieved else { continue }
            let prefix = frame.dropFirst()
            if isKeyed {
                guard take(prefix, isMore: kind == 1, key, gate, counts, feed) else { continue }
                if shutOut.count > known { outcome = .reopen }
            }
            if kind == 1, prefix == Self.topic, outcome == .nothing { outcome = .greet }
        }
        return outcome
    }

    /// - Returns: whether it is in effect.
    private mutating func take(
        _ prefix: Data, isMore: Bool, _ key: PeerKey?, _ gate: LiveGate, _ counts: BusCounts, _ feed: borrowing Socket
    ) -> Bool {
        let prefix = Data(prefix)
        // Without a key: what libzmq says of a peer that is gone.
        guard let key else {
            if !isMore { ledger.gone(prefix) }
            return false
        }
        let text = String(decoding: prefix, as: UTF8.self)
        guard isMore else {
            ledger.unsubscribed(key, prefix)
            try? feed.unsubscribe(from: text)
            return true
        }
        ledger.subscribed(key, prefix)
        if prefix.count > BusLimits.topicBytes || ledger.isFull {
            let greedy = prefix.count > BusLimits.topicBytes ? key : ledger.greediest ?? key
            shutOut.insert(greedy)
            deny(.subscribe, greedy, gate, counts, "more subscriptions than the bus keeps")
            return true
        }
        guard gate.mayHear(text, key) else {
            deny(.subscribe, key, gate, counts, text)
            return false
        }
        try? feed.subscribe(to: text)
        return true
    }

    private mutating func deny(
        _ reason: Denial, _ key: PeerKey?, _ gate: LiveGate, _ counts: BusCounts, _ example: String? = nil
    ) {
        if reason == .upstream, let key { shutOut.insert(key) }
        counts.denied(reason, client: gate.name(key), key: key, example: example)
    }
}
