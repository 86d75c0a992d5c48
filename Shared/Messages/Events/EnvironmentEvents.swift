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

/// A named environment got a version.
public struct EnvironmentRegistered: EventBody {
    public static let name = "environment.registered"
    public static let source: Source? = .trainerProxy
    public static let summary = "A named environment got a version."

    public var project: String
    public var environment: EnvironmentReference
    /// Of the repository, where it is defined.
    public var file: String
    public var run: String

    public init(project: String, environment: EnvironmentReference, file: String, run: String) {
        self.project = project
        self.environment = environment
        self.file = file
        self.run = run
    }
}

/// A data set got a version.
public struct DatasetRegistered: EventBody {
    public static let name = "dataset.registered"
    public static let source: Source? = .trainerProxy
    public static let summary = "A data set got a version."

    public var project: String
    public var dataset: DatasetReference
    public var description: String?
    /// The files, or the first of many.
    public var files: [String]
    /// Bytes of its archive.
    public var size: Int64
    /// The folder or file of the repository that it was made of.
    public var path: String
    public var run: String

    public init(
        project: String, dataset: DatasetReference, description: String? = nil, files: [String], size: Int64,
        path: String, run: String
    ) {
        self.project = project
        self.dataset = dataset
        self.description = description
        self.files = files
        self.size = size
        self.path = path
        self.run = run
    }
}

/// Reports of checks were collected for people.
public struct ChecksPublished: EventBody {
    public static let name = "checks.published"
    public static let source: Source? = .trainerProxy
    public static let summary = "Reports of checks were collected for people."

    public var run: String
    public var project: String
    public var title: String
    public var passed: Int
    public var failed: Int
    public var errors: Int
    public var skipped: Int
    /// `passed` or `failed`.
    public var status: String
    /// The reports by their names in the working copy.
    public var reports: [String: Digest]
    public var message: String?

    public init(
        run: String, project: String, title: String, passed: Int, failed: Int, errors: Int, skipped: Int,
        status: String, reports: [String: Digest], message: String? = nil
    ) {
        self.run = run
        self.project = project
        self.title = title
        self.passed = passed
        self.failed = failed
        self.errors = errors
        self.skipped = skipped
        self.status = status
        self.reports = reports
        self.message = message
    }
}
