/// How far the read model is behind a log, seen twice.
struct ReadingProgress: Sendable, Hashable {
    /// More events than this in the log but not in the read model, and what people see is old.
    static let mostLag = 1_000
    /// Between the two looks.
    static let pause = Duration.milliseconds(250)

    /// `catching up` or `behind`.
    let state: String
    let reason: String

    /// `nil`: what people see is up to date, or was so in between.
    init?(_ first: Int, then second: Int) {
        guard min(first, second) > Self.mostLag else { return nil }
        if second < first {
            state = "catching up"
            reason = "\(second) of its events are still to be read, and they get fewer: what is shown here is older"
        } else {
            state = "behind"
            reason = "\(second) of its events are not read yet, and they get no fewer: what is shown here is old"
        }
    }
}
