import Messages

/// One word of a rule's `when`: an event's name, an ending such as `run.failed`, or `run.*`.
struct EventPattern: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    func matches(_ envelope: Envelope) -> Bool {
        let name = shortEventName(envelope.type)
        // Types of others have no short name: they are named in full.
        if text == "*" || text == "*.*" || text == name || text == envelope.type { return true }
        if text.hasSuffix(".*") { return name.hasPrefix(text.dropLast()) }
        if text == "smoke_test.passed" { return Self.hasPassed(envelope, name) }
        return text == Self.ending(of: envelope, named: name)
    }

    /// People say that a test passed; the event calls it `succeeded` like everything that ends.
    private static func hasPassed(_ envelope: Envelope, _ name: String) -> Bool {
        name == "smoke_test.finished" && envelope.data["outcome"]?.string == Outcome.succeeded.rawValue
    }

    /// `run.failed` for a `run.finished` whose outcome is `failed`; `nil` for what does not end.
    private static func ending(of envelope: Envelope, named name: String) -> String? {
        guard name.hasSuffix(".finished") else { return nil }
        let word = ["outcome", "result", "status"].lazy.compactMap { envelope.data[$0]?.string }.first
        return word.map { name.dropLast("finished".count) + $0 }
    }
}

extension NotificationRule {
    /// Whether this rule wants to hear of an event of that pipeline (`nil`: of no run).
    func wants(_ envelope: Envelope, of pipeline: String?) -> Bool {
        if !pipelines.isEmpty, !pipelines.contains(pipeline ?? "") { return false }
        return when.contains { EventPattern($0).matches(envelope) }
    }
}
