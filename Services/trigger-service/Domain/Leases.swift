/// How long each session still holds its steps, on a clock that no one can set (bus.md 6).
///
/// Only times live here; sessions themselves are rows. After a restart of the grantor everybody has a full term.
struct Leases: Sendable {
    static let term: Duration = .seconds(15)

    /// Since an arbitrary beginning.
    private var deadlines: [String: Duration] = [:]

    mutating func open(_ session: String, now: Duration) { deadlines[session] = now + Self.term }

    /// A full term for a session that was open before; one that has been heard of since keeps its own.
    mutating func restore(_ session: String, now: Duration) {
        if deadlines[session] == nil { open(session, now: now) }
    }

    /// Whether the session is still alive, and now so for another term.
    mutating func renew(_ session: String, now: Duration) -> Bool {
        guard let deadline = deadlines[session], now < deadline else { return false }
        deadlines[session] = now + Self.term
        return true
    }

    mutating func end(_ session: String) { deadlines[session] = nil }

    /// Those whose term is over; they stay until they are ended, so that a failed write is tried again.
    func expired(now: Duration) -> [String] {
        deadlines.filter { $0.value <= now }.map(\.key).sorted()
    }
}
