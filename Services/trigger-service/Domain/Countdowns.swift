/// What has to end after so long, on a clock that no one can set. The intents that end it are due by the wall clock, which
/// somebody may set forward or back meanwhile (bus.md 6).
///
/// Kept in memory: after a restart of the grantor what began before it goes by the wall clock alone.
struct Countdowns: Sendable {
    /// Of the intent.
    struct Key: Sendable, Hashable {
        var kind: String
        var id: String
    }

    /// Both clocks are read a moment apart: the length of a commit.
    static let tolerance: Duration = .seconds(1)

    /// Since an arbitrary beginning.
    private var ends: [Key: Duration] = [:]

    mutating func begin(_ key: Key, for wait: Duration, now: Duration) { ends[key] = now + wait }

    mutating func end(_ key: Key) { ends[key] = nil }

    /// What is left of it; `nil`: nothing, or it is not known here.
    func rest(_ key: Key, now: Duration) -> Duration? {
        guard let end = ends[key], end - now > Self.tolerance else { return nil }
        return end - now
    }

    /// Those whose time is over and that nothing has ended.
    func over(now: Duration) -> [Key] {
        ends.filter { now - $0.value > Self.tolerance }.map(\.key).sorted { ($0.kind, $0.id) < ($1.kind, $1.id) }
    }
}
