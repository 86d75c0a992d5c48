import Foundation

/// A bucket that speaks S3, a prefix in it, and the key that may read and write there.
package struct S3Bucket: Sendable, Hashable {
    package struct Credentials: Sendable, Hashable {
        package var key: String
        package var secret: String
        /// Of credentials that are lent for a time.
        package var session: String?

        package init(key: String, secret: String, session: String? = nil) {
            self.key = key
            self.secret = secret
            self.session = session
        }
    }

    package let name: String
    /// Empty, or without a slash at its ends.
    package let prefix: String
    package let region: String
    /// Scheme, host and port; `nil` for AWS itself.
    package let endpoint: String?
    /// Asked for each request: rotated credentials count at once.
    let credentials: @Sendable () throws -> Credentials

    /// - Parameters:
    ///   - address: `s3://bucket/prefix`.
    ///   - endpoint: `https://minio.example:9000`; such servers are asked for `/bucket/key`.
    /// - Throws: `ArtifactError.settings`.
    package init(
        address: String, region: String = "us-east-1", endpoint: String? = nil,
        credentials: @escaping @Sendable () throws -> Credentials
    ) throws {
        let parts = address.dropFirst("s3://".count).split(separator: "/", omittingEmptySubsequences: true)
        guard address.hasPrefix("s3://"), let bucket = parts.first.map(String.init), Self.isBucket(bucket) else {
            throw ArtifactError.settings("'\(address)' is no bucket: write s3://BUCKET or s3://BUCKET/PREFIX")
        }
        guard parts.dropFirst().allSatisfy({ $0 != "." && $0 != ".." && $0.utf8.allSatisfy(Self.isPlain) }) else {
            throw ArtifactError.settings(
                "'\(address)': a prefix has letters, digits, '-', '_' and '.' only, with '/' between")
        }
        guard !region.isEmpty, region.utf8.allSatisfy({ Self.isPlain($0) }) else {
            throw ArtifactError.settings("'\(region)' is no region; it is a word like eu-central-1")
        }
        if let endpoint {
            guard let url = URLComponents(string: endpoint), ["http", "https"].contains(url.scheme), url.host != nil,
                url.path.isEmpty || url.path == "/", url.query == nil, url.user == nil
            else {
                throw ArtifactError.settings("'\(endpoint)' is no endpoint: write https://HOST or https://HOST:PORT")
            }
        }
        name = bucket
        prefix = parts.dropFirst().joined(separator: "/")
        self.region = region
        self.endpoint = endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        self.credentials = credentials
    }

    package static func == (left: S3Bucket, right: S3Bucket) -> Bool {
        left.address == right.address && left.region == right.region && left.endpoint == right.endpoint
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(address) }

    package var address: String { "s3://\(name)" + (prefix.isEmpty ? "" : "/" + prefix) }

    /// Where requests go: a bucket of AWS has a host of its own.
    var base: String { endpoint.map { "\($0)/\(name)" } ?? "https://\(name).s3.\(region).amazonaws.com" }

    private static func isBucket(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
            || [45, 46, 95].contains(byte)
    }
}
