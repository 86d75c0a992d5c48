/// What a token may do; each role may do what the ones before it may.
package enum Role: String, Sendable, CaseIterable, Codable, Comparable {
    /// Sees everything.
    case viewer
    /// Starts, cancels and retries; adds repositories; empties the dead-letter queue; publishes events.
    case `operator`
    /// Approves, rejects, moves models between stages, and takes back what an endpoint serves.
    case approver
    /// Also makes and revokes tokens.
    case admin

    package static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .approver: 2
        case .admin: 3
        }
    }

    package static let list = allCases.map(\.rawValue).joined(separator: ", ")
}

/// Who asks: the owner of a token.
package struct Person: Sendable, Hashable {
    /// The token's id.
    package var token: String
    package var name: String
    package var role: Role
    package var groups: [String]
    /// With which commits and approvals are compared; `nil` where the token has none.
    package var email: String?

    package init(token: String, name: String, role: Role, groups: [String], email: String? = nil) {
        self.token = token
        self.name = name
        self.role = role
        self.groups = groups
        self.email = email
    }

    package var actor: String { "user:\(name)" }
}
