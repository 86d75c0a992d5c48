import Foundation

/// A run published a named file.
public struct ArtifactPublished: EventBody {
    public static let name = "artifact.published"
    public static let source: Source? = .trainerProxy
    public static let summary = "A run published a named file."

    public var run: String
    public var project: String
    public var pipeline: String
    public var name: String
    public var file: String
    public var digest: Digest
    public var size: Int64

    public init(
        run: String, project: String, pipeline: String, name: String, file: String, digest: Digest, size: Int64
    ) {
        self.run = run
        self.project = project
        self.pipeline = pipeline
        self.name = name
        self.file = file
        self.digest = digest
        self.size = size
    }
}
