/// How a run, a job or a step ended (behaviours A.6). `notPromoted` is neutral: the candidate lost, nothing broke.
public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
    case succeeded
    case failed
    case canceled
    case skipped
    case notPromoted = "not_promoted"
}
