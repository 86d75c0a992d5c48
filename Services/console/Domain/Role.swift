/// What a token may do; each role may do what the ones before it may.
enum Role: String, Sendable, CaseIterable, Codable, Comparable {
    /// Sees everything.
    case viewer
    /// Starts, cancels and retries; adds repositories; empties the dead-letter queue.
    case `operator`
    /// Approves, rejects and moves models between stages.
    case approver
    /// Also makes and revokes tokens.
    case admin

    static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .approver: 2
        case .admin: 3
        }
    }

    static let list = allCases.map(\.rawValue).joined(separator: ", ")
}

/// Who asks: the owner of a token.
struct Person: Sendable, Hashable {
    var token: String
    var name: String
    var role: Role
    var groups: [String]
    /// With which commits and approvals are compared; `nil` where the token has none.
    var email: String?

    var actor: String { "user:\(name)" }
}
