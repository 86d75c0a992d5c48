import Foundation

/// A version is being deployed.
public struct DeploymentStarted: EventBody {
    public static let name = "deployment.started"
    public static let source: Source? = .deployer
    public static let summary = "A version is being deployed."

    public var deployment: String
    public var endpoint: String
    public var target: String
    public var model: String
    public var version: Int
    public var run: String?

    public init(
        deployment: String, endpoint: String, target: String, model: String, version: Int, run: String? = nil
    ) {
        self.deployment = deployment
        self.endpoint = endpoint
        self.target = target
        self.model = model
        self.version = version
        self.run = run
    }
}

/// A deployment ended; when it succeeded the endpoint's URL moved to it.
public struct DeploymentFinished: EventBody {
    public static let name = "deployment.finished"
    public static let source: Source? = .deployer
    public static let summary = "A deployment ended; when it succeeded the endpoint's URL moved to it."

    public var deployment: String
    public var endpoint: String
    public var target: String
    public var model: String
    public var version: Int
    public var run: String?
    public var outcome: Outcome
    public var message: String?
    /// Only of a success.
    public var scoringURL: String?

    public init(
        deployment: String, endpoint: String, target: String, model: String, version: Int, run: String? = nil,
        outcome: Outcome, message: String? = nil, scoringURL: String? = nil
    ) {
        self.deployment = deployment
        self.endpoint = endpoint
        self.target = target
        self.model = model
        self.version = version
        self.run = run
        self.outcome = outcome
        self.message = message
        self.scoringURL = scoringURL
    }
}

/// An endpoint went back to the last version that passed its smoke test.
public struct DeploymentRolledBack: EventBody {
    public static let name = "deployment.rolled_back"
    public static let source: Source? = .deployer
    public static let summary = "An endpoint went back to the last version that passed its smoke test."

    /// The one taken back.
    public var deployment: String
    public var endpoint: String
    public var target: String
    public var model: String
    /// The one taken back.
    public var version: Int
    /// `nil`: nothing served before.
    public var restored: Int?
    /// The run whose deployment is taken back.
    public var run: String?
    public var reason: String

    public init(
        deployment: String, endpoint: String, target: String, model: String, version: Int, restored: Int? = nil,
        run: String? = nil, reason: String
    ) {
        self.deployment = deployment
        self.endpoint = endpoint
        self.target = target
        self.model = model
        self.version = version
        self.restored = restored
        self.run = run
        self.reason = reason
    }
}

/// What an endpoint serves is not what it should serve, for longer than a change takes.
public struct DeploymentDrifted: EventBody {
    public static let name = "deployment.drifted"
    public static let source: Source? = .deployer
    public static let summary = "What an endpoint serves is not what it should serve, for longer than a change takes."

    /// What disagrees with the endpoint.
    public enum Cause: String, Sendable, Hashable, Codable, CaseIterable {
        /// The stage that the endpoint stands for is another version's by now.
        case stage
        /// The version's process ended and does not come up again.
        case process
    }

    public var endpoint: String
    public var project: String
    public var model: String
    /// The one that the endpoint's URL leads to.
    public var version: Int
    public var deployment: String
    public var cause: Cause
    /// The stage that the endpoint stands for; `nil` where its version never had one.
    public var stage: String?
    /// The versions that may serve.
    public var expected: [Int]
    public var reason: String

    public init(
        endpoint: String, project: String, model: String, version: Int, deployment: String, cause: Cause,
        stage: String? = nil, expected: [Int], reason: String
    ) {
        self.endpoint = endpoint
        self.project = project
        self.model = model
        self.version = version
        self.deployment = deployment
        self.cause = cause
        self.stage = stage
        self.expected = expected
        self.reason = reason
    }
}

/// An endpoint that had drifted serves what it should again.
public struct DeploymentSettled: EventBody {
    public static let name = "deployment.settled"
    public static let source: Source? = .deployer
    public static let summary = "An endpoint that had drifted serves what it should again."

    public var endpoint: String
    public var project: String
    public var model: String
    /// `nil`: nothing serves.
    public var version: Int?

    public init(endpoint: String, project: String, model: String, version: Int? = nil) {
        self.endpoint = endpoint
        self.project = project
        self.model = model
        self.version = version
    }
}

/// What an endpoint serves changed.
public struct EndpointChanged: EventBody {
    public static let name = "endpoint.changed"
    public static let source: Source? = .deployer
    public static let summary = "What an endpoint serves changed."

    public var endpoint: String
    public var url: String
    public var model: String
    /// `nil`: nothing serves.
    public var version: Int?
    public var deployment: String?
    /// `serving`, `stopped` or `unhealthy`.
    public var state: String

    public init(
        endpoint: String, url: String, model: String, version: Int? = nil, deployment: String? = nil,
        state: String
    ) {
        self.endpoint = endpoint
        self.url = url
        self.model = model
        self.version = version
        self.deployment = deployment
        self.state = state
    }
}

/// A deployment was tried with a request of the project's.
public struct SmokeTestFinished: EventBody {
    public static let name = "smoke_test.finished"
    public static let source: Source? = .deployer
    public static let summary = "A deployment was tried with a request of the project's."

    public var deployment: String
    public var endpoint: String
    public var model: String
    public var version: Int
    public var run: String?
    public var outcome: Outcome
    public var attempts: Int
    public var message: String

    public init(
        deployment: String, endpoint: String, model: String, version: Int, run: String? = nil, outcome: Outcome,
        attempts: Int, message: String
    ) {
        self.deployment = deployment
        self.endpoint = endpoint
        self.model = model
        self.version = version
        self.run = run
        self.outcome = outcome
        self.attempts = attempts
        self.message = message
    }
}

/// What became of something a person asked the deployer for.
public struct DeployerCommandAnswered: EventBody {
    public static let name = "deployment.command_answered"
    public static let source: Source? = .deployer
    public static let summary = "What became of something a person asked the deployer for."

    public var command: String
    public var accepted: Bool
    public var reason: String?

    public init(command: String, accepted: Bool, reason: String? = nil) {
        self.command = command
        self.accepted = accepted
        self.reason = reason
    }
}
