import Artifacts
import Foundation

/// Where the artifacts are, from the environment; the key of a bucket from the secrets' files only.
package struct ArtifactSettings: Sendable {
    /// `nil`: in the data folder.
    package let bucket: S3Bucket?

    /// - Throws: `ArtifactError.settings`, `SecretError`.
    package init(
        environment: [String: String] = ProcessInfo.processInfo.environment, secrets: Secrets
    ) throws {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let address = variable("MARTLET_ARTIFACTS") else {
            bucket = nil
            return
        }
        bucket = try S3Bucket(
            address: address, region: variable("MARTLET_S3_REGION") ?? "us-east-1",
            endpoint: variable("MARTLET_S3_ENDPOINT"),
            credentials: {
                S3Bucket.Credentials(
                    key: try secrets.needed("S3_ACCESS_KEY_ID"), secret: try secrets.needed("S3_SECRET_ACCESS_KEY"),
                    session: try secrets.stored("S3_SESSION_TOKEN"))
            })
        // Found missing at the start, not with the first model.
        _ = try secrets.needed("S3_ACCESS_KEY_ID")
        _ = try secrets.needed("S3_SECRET_ACCESS_KEY")
    }

    package func store(_ paths: DataPaths) -> ArtifactStore { ArtifactStore(root: paths.artifacts, bucket: bucket) }
}

extension Secrets {
    fileprivate func needed(_ name: String) throws -> String {
        guard let text = try stored(name), !text.isEmpty else {
            throw SecretError(name: name, places: folders, isFileOnly: true)
        }
        return text
    }
}
