/// When a child that ended is started again.
struct RestartPolicy: Sendable, Hashable {
    static let first = Duration.milliseconds(200)
    static let longest = Duration.seconds(5)
    /// Between two tries of one that keeps dying: what it dies of may pass, as a full disk does.
    static let resting = Duration.seconds(60)
    /// A life shorter than this counts as quick.
    static let healthy = Duration.seconds(5)
    static let mostQuickDeaths = 10

    private let longest: Duration
    private let resting: Duration
    private var quickDeaths = 0

    init(longest: Duration = RestartPolicy.longest, resting: Duration = RestartPolicy.resting) {
        self.longest = longest
        self.resting = resting
    }

    enum Verdict: Sendable, Hashable {
        case again(after: Duration)
        /// It died quickly so often that it is tried seldom from now on; new only the first time.
        case rest(Duration, isNew: Bool)
    }

    mutating func died(after life: Duration) -> Verdict {
        quickDeaths = life < Self.healthy ? quickDeaths + 1 : 1
        guard quickDeaths < Self.mostQuickDeaths else {
            return .rest(resting, isNew: quickDeaths == Self.mostQuickDeaths)
        }
        return .again(after: min(longest, Self.first * (1 << min(quickDeaths - 1, 5))))
    }
}
