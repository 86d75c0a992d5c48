import Foundation

/// A repository is being watched from now on.
public struct RepositoryAdded: EventBody {
    public static let name = "repository.added"
    public static let source: Source? = .triggerService
    public static let summary = "A repository is being watched from now on."

    public var repository: String
    /// Without credentials.
    public var url: String
    public var pollSeconds: Double

    public init(repository: String, url: String, pollSeconds: Double) {
        self.repository = repository
        self.url = url
        self.pollSeconds = pollSeconds
    }
}

/// A repository is no longer watched.
public struct RepositoryRemoved: EventBody {
    public static let name = "repository.removed"
    public static let source: Source? = .triggerService
    public static let summary = "A repository is no longer watched."

    public var repository: String

    public init(repository: String) {
        self.repository = repository
    }
}

/// A repository could not be read; it is tried again with back-off.
public struct RepositoryUnreachable: EventBody {
    public static let name = "repository.unreachable"
    public static let source: Source? = .triggerService
    public static let summary = "A repository could not be read; it is tried again with back-off."

    public var repository: String
    public var reason: String
    public var attempts: Int
    public var nextAttempt: Timestamp

    public init(repository: String, reason: String, attempts: Int, nextAttempt: Timestamp) {
        self.repository = repository
        self.reason = reason
        self.attempts = attempts
        self.nextAttempt = nextAttempt
    }
}

/// A repository that could not be read can be read again.
public struct RepositoryRecovered: EventBody {
    public static let name = "repository.recovered"
    public static let source: Source? = .triggerService
    public static let summary = "A repository that could not be read can be read again."

    public var repository: String

    public init(repository: String) {
        self.repository = repository
    }
}
