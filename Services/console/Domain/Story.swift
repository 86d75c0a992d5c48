import Messages

/// The answer to "why?": from the commit, person or tick that began it, to here.
enum Story {
    /// Steps of the machinery, left out unless the question is about them.
    static let machinery: Set<String> = [
        "job.started", "job.finished", "step.started", "step.finished", "run.started", "deployment.started",
    ]

    /// What belongs to a story beside the path of causes.
    static let facts: [String] = [
        "trigger.matched", "run.queued", "training.finished", "evaluation.decided", "evaluation.bypassed",
        "evaluation.voided", "testsuite.finished",
        "model.registered", "approval.requested", "approval.given", "approval.finished", "approval.revoked",
        "run.cancel_begun", "model.stage_changed",
        "model.transition_refused", "deployment.finished", "smoke_test.finished", "deployment.rolled_back",
        "deployment.drifted", "deployment.settled", "endpoint.changed", "run.finished", "notification.sent",
        "notification.failed",
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
            return line(event, try Narration.sentence(event), onPath: onPath.contains(event.id))
        }
    }

    /// Whether a fact is about one of these runs, or about this version.
    static func isAbout(_ event: Envelope, runs: Set<String>, model: String?, version: Int?) -> Bool {
        if let model, let version, event.data["model"]?.string == model, let number = event.data["version"]?.int {
            return number == version
        }
        return event.data["run"]?.string.map(runs.contains) ?? false
    }

    /// Who was told of these events: one line for each recipient.
    static func told(_ facts: [Envelope], of events: Set<String>) -> [JSONValue] {
        var seen: Set<String> = []
        let messages = facts.filter {
            seen.insert($0.id).inserted && $0.data["event"]?.string.map(events.contains) == true
        }
        let byRecipient = Dictionary(grouping: messages) {
            "\(shortEventName($0.type)) \($0.data["recipient"]?.string ?? "")"
        }
        let lasts = byRecipient.values.compactMap { messages in
            messages.max { ($0.time, $0.id) < ($1.time, $1.id) }.map { ($0, messages.count) }
        }
        return lasts.sorted { ($0.0.time, $0.0.id) < ($1.0.time, $1.0.id) }.map { last, count in
            let recipient = last.data["recipient"]?.string ?? ""
            let word = last.type == NotificationSent.eventType ? "was told" : "could not be told"
            return line(
                last,
                Sentence("\(recipient) \(word) (\(count) \(count == 1 ? "message" : "messages"))"),
                onPath: false)
        }
    }

    private static func line(_ event: Envelope, _ sentence: Sentence, onPath: Bool) -> JSONValue {
        .object([
            "time": .string(event.time.text), "event": .string(event.id), "type": .string(shortEventName(event.type)),
            "actor": .string(event.actor), "text": .string(sentence.text), "numbers": .object(sentence.numbers),
            "cause": event.causationid.map { .string($0) } ?? .null, "onPath": .bool(onPath),
        ])
    }
}
