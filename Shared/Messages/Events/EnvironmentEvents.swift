import Foundation

/// An environment was built.
public struct EnvironmentBuilt: EventBody {
    public static let name = "environment.built"
    public static let source: Source? = .trainerProxy
    public static let summary = "An environment was built."

    public var environment: Digest
    public var kind: String
    public var path: String
    public var run: String
    public var seconds: Double

    public init(environment: Digest, kind: String, path: String, run: String, seconds: Double) {
        self.environment = environment
        self.kind = kind
        self.path = path
        self.run = run
        self.seconds = seconds
    }
}

/// An environment of the same definition stood already.
public struct EnvironmentReused: EventBody {
    public static let name = "environment.reused"
    public static let source: Source? = .trainerProxy
    public static let summary = "An environment of the same definition stood already."

    public var environment: Digest
    public var kind: String
    public var path: String
    public var run: String

    public init(environment: Digest, kind: String, path: String, run: String) {
        self.environment = environment
        self.kind = kind
        self.path = path
        self.run = run
    }
}
