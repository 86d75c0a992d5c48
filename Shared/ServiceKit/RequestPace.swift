/// How long a client may take to send a request: some seconds to begin with, and more only for what really comes.
///
/// A connection that sends a byte now and then (slow loris) holds its place no longer than one that sends nothing. The
/// time between requests is not counted, nor that of the answer.
struct RequestPace: Sendable, Hashable {
    static let grace = Duration.seconds(10)
    static let bytesPerSecond = 1024

    private enum Phase: Sendable, Hashable {
        /// Connected, or between two requests.
        case resting
        case sending(since: ContinuousClock.Instant, bytes: Int, wasAnswered: Bool)
        /// It is being answered; what comes until then belongs to the next one.
        case whole
    }

    private let grace: Duration
    private var phase: Phase

    /// A new connection has to say something as well.
    init(at now: ContinuousClock.Instant, grace: Duration = grace) {
        self.grace = grace
        phase = .sending(since: now, bytes: 0, wasAnswered: false)
    }

    mutating func received(_ count: Int, at now: ContinuousClock.Instant) {
        switch phase {
        case .resting: phase = .sending(since: now, bytes: count, wasAnswered: false)
        case .sending(let since, let bytes, let wasAnswered):
            phase = .sending(since: since, bytes: bytes + count, wasAnswered: wasAnswered)
        case .whole: break
        }
    }

    mutating func requestEnded() {
        if case .sending(_, _, true) = phase { phase = .resting } else { phase = .whole }
    }

    /// Perhaps before the request has ended: what nobody wants to read is answered early.
    mutating func answerEnded() {
        switch phase {
        case .resting, .whole: phase = .resting
        case .sending(let since, let bytes, _): phase = .sending(since: since, bytes: bytes, wasAnswered: true)
        }
    }

    /// When the connection is closed unless more has come; `nil` while nothing is expected of the client.
    var deadline: ContinuousClock.Instant? {
        guard case .sending(let since, let bytes, _) = phase else { return nil }
        return since + grace + .seconds(1) * (bytes / Self.bytesPerSecond)
    }
}
