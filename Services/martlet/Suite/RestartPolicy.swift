/// When a child that ended is started again, and when no more.
struct RestartPolicy: Sendable, Hashable {
    static let first = Duration.milliseconds(200)
    static let longest = Duration.seconds(5)
    /// A life shorter than this counts as quick.
    static let healthy = Duration.seconds(5)
    static let mostQuickDeaths = 10

    private var quickDeaths = 0

    enum Verdict: Sendable, Hashable {
        case again(after: Duration)
        case giveUp
    }

    mutating func died(after life: Duration) -> Verdict {
        quickDeaths = life < Self.healthy ? quickDeaths + 1 : 1
        guard quickDeaths < Self.mostQuickDeaths else { return .giveUp }
        return .again(after: min(Self.longest, Self.first * (1 << min(quickDeaths - 1, 5))))
    }
}
