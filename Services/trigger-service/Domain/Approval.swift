import Messages

/// Waiting for people to agree: a row, not a thread. Bound to the version and decision it was asked for.
struct Approval: Sendable, Hashable, Codable {
    var id: String
    var run: String
    var job: String
    var project: String
    var pipeline: String
    var environment: String
    var required: Int
    /// `user:x`, `group:y`; empty: anybody who may approve.
    var from: [String]
    var requester: String
    var requesterMayApprove: Bool
    var model: String?
    var version: String?
    var decision: String?
    var expires: Timestamp
    var grantedOnTimeout: Bool
    var agreed: [Agreement] = []
    /// `nil` while it waits.
    var result: ApprovalResult?

    struct Agreement: Sendable, Hashable, Codable {
        var by: String
        var comment: String?
        var at: Timestamp
    }

    /// What one answer brought.
    enum Progress: Sendable, Hashable {
        case counted
        case granted
        case rejected
    }

    /// - Throws: `Refusal` when this person may not, or not any more, answer.
    mutating func answer(
        _ approve: Bool, by person: String, groups: [String], comment: String?, at now: Timestamp
    ) throws(Refusal) -> Progress {
        if let result { throw Refusal("the approval is \(result.rawValue) already") }
        if now >= expires { throw Refusal("the approval expired at \(expires.text)") }
        try check(person, groups)
        guard approve else {
            result = .rejected
            return .rejected
        }
        if !requesterMayApprove, isRequester(person) {
            throw Refusal(
                "\(person) started the run, and the environment '\(environment)' asks for a second person"
                    + " (requester_may_approve: false)")
        }
        if agreed.contains(where: { same($0.by, person) }) {
            throw Refusal("\(person) has approved already; \(required - agreed.count) more of other people needed")
        }
        agreed.append(Agreement(by: person, comment: comment, at: now))
        guard agreed.count >= required else { return .counted }
        result = .granted
        return .granted
    }

    private func check(_ person: String, _ groups: [String]) throws(Refusal) {
        if from.isEmpty { return }
        let names = [person] + groups.map { $0.hasPrefix("group:") ? $0 : "group:\($0)" }
        guard names.contains(where: { name in from.contains { same($0, name) } }) else {
            throw Refusal("\(person) is not among \(from.joined(separator: ", ")), who may answer for '\(environment)'")
        }
    }

    /// Whether the run is this person's own.
    ///
    /// Who pushed is known by the e-mail address of the commit, who answers by the name of an access token. They count as
    /// the same person when the name is the address or the part before its `@`, whatever the case. Two addresses are
    /// compared as a whole.
    private func isRequester(_ person: String) -> Bool {
        if same(person, requester) { return true }
        let names = [person, requester].map { $0.lowercased() }
        guard names.allSatisfy({ $0.hasPrefix("user:") }), names.contains(where: { !$0.contains("@") }) else {
            return false
        }
        let local = names.map { $0.prefix { $0 != "@" } }
        return local[0] == local[1]
    }

    /// Names of people are not told apart by their case.
    private func same(_ one: String, _ other: String) -> Bool { one.lowercased() == other.lowercased() }

    /// Nobody answered in time; `nil` when it does not wait any more.
    mutating func expire() -> ApprovalResult? {
        guard result == nil else { return nil }
        let ended: ApprovalResult = grantedOnTimeout ? .granted : .expired
        result = ended
        return ended
    }
}
