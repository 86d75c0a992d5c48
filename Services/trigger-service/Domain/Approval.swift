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
    /// `user:x`, `group:y`, `key:z`; empty: any person who may approve.
    var from: [String]
    var requester: String
    /// Of the token with which the run was asked for.
    var requesterEmail: String?
    /// Those of the other events that the run has waited for.
    var otherRequesters: [Requester]?
    var requesterMayApprove: Bool
    var model: String?
    var version: String?
    var decision: String?
    var expires: Timestamp
    var grantedOnTimeout: Bool
    var agreed: [Agreement] = []
    /// Its job asks whether the champion is still the same; `nil` in rows of before this was noted.
    var watchesChampion: Bool?
    /// `nil` while it waits.
    var result: ApprovalResult?
    /// It was granted, and then taken back.
    var revoked: Agreement?

    struct Agreement: Sendable, Hashable, Codable {
        var by: String
        var email: String?
        var comment: String?
        var at: Timestamp
    }

    /// What one answer brought.
    enum Progress: Sendable, Hashable {
        case counted
        case granted
        case rejected
    }

    /// - Throws: `Refusal` when somebody was shown something else than what is asked about.
    func check(version: String?, decision: String?) throws(Refusal) {
        let told = "the approval is about \(subject); look again: `martlet approvals show \(id)`"
        if let version, version != self.version { throw Refusal("the answer is about version \(version): \(told)") }
        if let decision, decision != self.decision {
            throw Refusal("the answer is about decision \(decision): \(told)")
        }
    }

    private var subject: String {
        let what = version.map { "version \($0)" + (model.map { " of \($0)" } ?? "") } ?? "no version"
        return what + (decision.map { ", decision \($0)" } ?? "")
    }

    /// - Parameter email: of the person's token, where it has one.
    /// - Throws: `Refusal` when this person may not, or not any more, answer.
    mutating func answer(
        _ approve: Bool, by person: String, email: String? = nil, groups: [String], comment: String?,
        at now: Timestamp
    ) throws(Refusal) -> Progress {
        if let result { throw Refusal("the approval is \(result.rawValue) already") }
        if now >= expires { throw Refusal("the approval expired at \(expires.text)") }
        try check(person, email, groups)
        guard approve else {
            result = .rejected
            return .rejected
        }
        if !requesterMayApprove, isRequester(person, email) {
            throw Refusal(
                "\(person) set off the run, and the environment '\(environment)' asks for a second person"
                    + " (requester_may_approve: false)")
        }
        if agreed.contains(where: { same($0.by, person) || sameAddress($0.email, email) }) {
            throw Refusal("\(person) has approved already; \(required - agreed.count) more of other people needed")
        }
        agreed.append(Agreement(by: person, email: email, comment: comment, at: now))
        guard agreed.count >= required else { return .counted }
        result = .granted
        return .granted
    }

    func check(_ person: String, _ email: String?, _ groups: [String]) throws(Refusal) {
        // A client of the bus has to be named: whoever may approve at all is a person.
        if from.isEmpty, !person.hasPrefix("key:") { return }
        let names =
            [person] + (email.map { ["user:\($0)"] } ?? []) + groups.map { $0.hasPrefix("group:") ? $0 : "group:\($0)" }
        guard names.contains(where: { name in from.contains { same($0, name) } }) else {
            let list = from.isEmpty ? "the people" : from.joined(separator: ", ")
            throw Refusal("\(person) is not among \(list) who may answer for '\(environment)'")
        }
    }

    /// Of everybody else who set off the run, each once: no more than an event has room for. `nil`: of nobody.
    var namesOfOthers: [String]? {
        var seen: Set<String> = [requester]
        let names = (otherRequesters ?? []).map(\.name).filter { seen.insert($0).inserted }
        return names.isEmpty ? nil : Array(names.prefix(50))
    }

    /// Whether the run is this person's own, alone or with others.
    func isRequester(_ person: String, _ email: String?) -> Bool {
        let all = [Requester(name: requester, email: requesterEmail)] + (otherRequesters ?? [])
        return all.contains { isSame($0, person, email) }
    }

    /// Who pushed is known by the e-mail address of the commit, who answers by an access token. Where the token has an
    /// address the two are compared as a whole, whatever the case. Where it has none its name must be neither the
    /// address nor the part before its `@`.
    private func isSame(_ requester: Requester, _ person: String, _ email: String?) -> Bool {
        let name = requester.name
        if same(person, name) { return true }
        let pusher = name.contains("@") ? String(name.trimmingPrefix("user:")) : nil
        if let email, let address = requester.email ?? pusher { return sameAddress(email, address) }
        let names = [person, name].map { $0.lowercased() }
        guard names.allSatisfy({ $0.hasPrefix("user:") }), names.contains(where: { !$0.contains("@") }) else {
            return false
        }
        let local = names.map { $0.prefix { $0 != "@" } }
        return local[0] == local[1]
    }

    func sameAddress(_ one: String?, _ other: String?) -> Bool {
        guard let one, let other else { return false }
        return same(one, other)
    }

    /// Names of people are not told apart by their case.
    func same(_ one: String, _ other: String) -> Bool { one.lowercased() == other.lowercased() }

    /// Nobody answered in time; `nil` when it does not wait any more.
    mutating func expire() -> ApprovalResult? {
        guard result == nil else { return nil }
        let ended: ApprovalResult = grantedOnTimeout ? .granted : .expired
        result = ended
        return ended
    }
}
