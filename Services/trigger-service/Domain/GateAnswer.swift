import Messages

/// What came of asking people before a job: what its run knows of it.
struct GateAnswer: Sendable, Hashable, Codable {
    enum Result: String, Sendable, Hashable, Codable {
        case granted, rejected, expired, void, canceled, revoked
    }

    var result: Result
    var by: String?
    var comment: String?

    init(_ result: Result, by person: String? = nil, comment: String? = nil) {
        self.result = result
        by = person
        self.comment = comment
    }

    init(_ result: ApprovalResult, by person: String? = nil, comment: String? = nil) {
        let own: Result =
            switch result {
            case .granted: .granted
            case .rejected: .rejected
            case .expired: .expired
            case .void: .void
            case .canceled: .canceled
            }
        self.init(own, by: person, comment: comment)
    }

    /// `rejected()`: people said no, nobody answered in time, or the agreement was taken back.
    var isRefusal: Bool {
        switch result {
        case .rejected, .expired, .revoked: true
        case .granted, .void, .canceled: false
        }
    }

    /// `needs.<job>.approval` in expressions.
    var members: JSONValue {
        [
            "result": .string(result.rawValue), "by": by.map(JSONValue.string) ?? .null,
            "comment": comment.map(JSONValue.string) ?? .null,
        ]
    }
}
