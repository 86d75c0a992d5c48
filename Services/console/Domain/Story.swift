import Messages

/// The answer to "why?": from the commit, person or tick that began it, to here.
enum Story {
    /// Steps of the machinery, left out unless the question is about them.
    static let machinery: Set<String> = [
        "job.started", "job.finished", "step.started", "step.finished", "run.started", "deployment.started",
    ]

    /// What belongs to a story beside the path of causes.
    static let facts: [String] = [
        "trigger.matched", "run.queued", "training.finished", "evaluation.decided", "testsuite.finished",
        "model.registered", "approval.requested", "approval.given", "approval.finished", "model.stage_changed",
        "model.transition_refused", "deployment.finished", "smoke_test.finished", "deployment.rolled_back",
        "endpoint.changed", "run.finished", "notification.sent", "notification.failed",
    ]

    /// - Parameters:
    ///   - path: from the first cause to the event in question.
    ///   - others: facts about the same runs and version, in any order.
    static func lines(path: [Envelope], others: [Envelope], about last: String?) throws -> [JSONValue] {
        let onPath = Set(path.map(\.id))
        var seen: Set<String> = []
        let all = (path + others).filter { seen.insert($0.id).inserted }
        // Clocks of several services: equal times keep the order of causes.
        let depth = Dictionary(all.map { ($0.id, $0.causationdepth) }, uniquingKeysWith: { $1 })
        let ordered = all.sorted { ($0.time, depth[$0.id] ?? 0, $0.id) < ($1.time, depth[$1.id] ?? 0, $1.id) }
        return try ordered.compactMap { event in
            let name = shortEventName(event.type)
            if machinery.contains(name), event.id != last { return nil }
            let sentence = try Narration.sentence(event)
            return .object([
                "time": .string(event.time.text), "event": .string(event.id), "type": .string(name),
                "actor": .string(event.actor), "text": .string(sentence.text), "numbers": .object(sentence.numbers),
                "cause": event.causationid.map { .string($0) } ?? .null, "onPath": .bool(onPath.contains(event.id)),
            ])
        }
    }

    /// Whether a fact is about one of these runs, or about this version.
    static func isAbout(_ event: Envelope, runs: Set<String>, model: String?, version: Int?, events: Set<String>)
        -> Bool
    {
        if let about = event.data["event"]?.string { return events.contains(about) }
        if let model, let version, event.data["model"]?.string == model, let number = event.data["version"]?.int {
            return number == version
        }
        return event.data["run"]?.string.map(runs.contains) ?? false
    }
}
