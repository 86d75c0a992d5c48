import Bus
import Messages

/// Judges every live message by the newest rights (bus.md 8). Pure.
struct LiveGate {
    private(set) var authority: Authority
    private var limits = RateLimits()
    /// Apart, so that telemetry uses up nothing of what events and heartbeats need.
    private var telemetryLimits = RateLimits()

    init(authority: Authority) { self.authority = authority }

    /// - Returns: whether somebody may hear less than before, so that the feed has to be opened anew.
    mutating func adopt(_ newer: Authority) -> Bool {
        let takes = newer.takesHearing(from: authority)
        authority = newer
        limits.keep(newer.names)
        telemetryLimits.keep(newer.names)
        return takes
    }

    func name(_ key: PeerKey?) -> String { authority.client(key)?.name ?? "unknown" }

    /// Before anything else is looked at: also malformed messages count against the rate.
    mutating func enter(_ key: PeerKey?, isTelemetry: Bool = false, now: Duration) throws(Denial) -> Authority.Client {
        guard let client = authority.client(key) else { throw .key }
        let hasRoom = isTelemetry ? telemetryLimits.take(client, now: now) : limits.take(client, now: now)
        guard hasRoom else { throw .rate }
        return client
    }

    func check(_ topic: LiveTopic, _ bytes: UnsafeRawBufferPointer, of client: Authority.Client) throws(Denial) {
        switch topic {
        case .event(let source, let type):
            guard client.rights.mayPublish(bytes) else { throw .publish }
            guard EventOwner.may(source, write: type) else { throw .type }
        case .heartbeat(let source): guard client.rights.speaks(for: source) else { throw .publish }
        case .telemetry: guard client.rights.mayPublish(bytes) else { throw .publish }
        }
    }

    /// - Returns: whether the subscription counts.
    func mayHear(_ prefix: String, _ key: PeerKey?) -> Bool {
        authority.client(key)?.rights.maySubscribe(to: prefix) ?? false
    }
}
