import Foundation

/// A token opens the suite's doors from now on; also told of one that has done so before.
public struct TokenCreated: EventBody {
    public static let name = "command.token_created"
    public static let source: Source? = .console
    public static let summary = "A token opens the suite's doors from now on."

    /// Its id: what stands in front of the secret.
    public var token: String
    /// Whose it is.
    public var name: String
    /// `viewer`, `operator`, `approver` or `admin`.
    public var role: String
    public var groups: [String]
    /// With which commits and approvals are compared.
    public var email: String?
    /// SHA-256 of the secret, which is 256 random bits: it recognises a token and opens nothing.
    public var digest: Digest

    public init(
        token: String, name: String, role: String, groups: [String], email: String? = nil, digest: Digest
    ) {
        self.token = token
        self.name = name
        self.role = role
        self.groups = groups
        self.email = email
        self.digest = digest
    }
}

/// A token opens nothing any more.
public struct TokenRevoked: EventBody {
    public static let name = "command.token_revoked"
    public static let source: Source? = .console
    public static let summary = "A token opens nothing any more."

    /// Its id.
    public var token: String

    public init(token: String) {
        self.token = token
    }
}
