import Messages

/// What one look at an installation came to.
struct Finding: Sendable, Hashable {
    enum State: String, Sendable {
        case ok, warning, bad
    }

    var check: String
    var state: State
    var note: String
    /// What to do; empty where all is well.
    var advice = ""

    static func ok(_ check: String, _ note: String) -> Finding { Finding(check: check, state: .ok, note: note) }

    static func warning(_ check: String, _ note: String, do advice: String) -> Finding {
        Finding(check: check, state: .warning, note: note, advice: advice)
    }

    static func bad(_ check: String, _ note: String, do advice: String) -> Finding {
        Finding(check: check, state: .bad, note: note, advice: advice)
    }

    var json: JSONValue {
        [
            "check": .string(check), "state": .string(state.rawValue), "note": .string(note),
            "advice": advice.isEmpty ? .null : .string(advice),
        ]
    }
}
