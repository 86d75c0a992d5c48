import Foundation
import HTTPClient
import Messages
import Testing

@testable import Artifacts

/// What only a bucket has: signatures, parts, and a way to it that breaks.
@Suite final class S3Tests {
    private let folder: String
    private let server: S3Server

    init() throws {
        server = try S3Server.shared.get()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("s3-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// The example of Amazon's own documentation, "Signature Calculations for the Authorization Header".
    @Test func `a request is signed as Amazon's documentation has it`() throws {
        let date = try Date("2013-05-24T00:00:00Z", strategy: .iso8601)
        let signature = S3Signature(
            region: "us-east-1",
            credentials: .init(key: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            date: date)
        let get = signature.headers(
            method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt", query: [],
            headers: [("range", "bytes=0-9")], payload: S3Signature.empty)
        #expect(
            get.last?.value
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        let list = signature.headers(
            method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/",
            query: [("prefix", "J"), ("max-keys", "2")],
            headers: [], payload: S3Signature.empty)
        #expect(
            list.last?.value.hasSuffix(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7") == true)
    }

    @Test func `a wrong secret is refused by the bucket, and said with what to check`() async throws {
        let bucket = try server.bucket(prefix: "wrong", secret: "not-it")
        let store = ArtifactStore(root: folder, bucket: bucket)
        let error = await #expect(throws: ArtifactError.self) { try await store.put(Data("x".utf8)) }
        let text = try #require(error).description
        #expect(text.contains("403") && text.contains("S3_SECRET_ACCESS_KEY") && !text.contains("not-it"))
    }

    @Test func `an upload that died between parts is gone on with`() async throws {
        let prefix = UUID().uuidString
        let bucket = try server.bucket(prefix: prefix)
        let path = folder + "/file"
        let bytes = (0..<40).reduce(into: Data()) { $0 += Data(repeating: UInt8($1), count: 1 << 20) }
        try bytes.write(to: URL(fileURLWithPath: path))
        let digest = Digest(of: bytes)
        let key = "sha256/\(digest.hex.prefix(2))/\(digest.hex)"
        let parts = S3Parts(size: Int64(bytes.count))
        #expect(parts.count == 3)
        struct Killed: Error {}
        let upload = S3Upload(client: S3Client(bucket: bucket), key: key, parts: parts)
        let lock = folder + "/lock"
        await #expect(throws: Killed.self) {
            try await upload.run(hold: { try await SweepLock.take(lock, .together) }) { number in
                guard number < 3 else { throw Killed() }
                let range = parts.range(of: number)
                return bytes[Int(range.lowerBound)..<Int(range.upperBound)]
            }
        }
        // The two others may have been cut off with it: one at least is made sure of, by a second try that fails later.
        await #expect(throws: Killed.self) {
            try await upload.run(hold: { throw Killed() }) { number in
                let range = parts.range(of: number)
                return bytes[Int(range.lowerBound)..<Int(range.upperBound)]
            }
        }
        let sent = try server.asked("PUT", prefix, "partNumber=")
        let store = ArtifactStore(root: folder + "/store", bucket: bucket)
        #expect(try await store.put(file: path) == digest)
        #expect(try server.asked("PUT", prefix, "partNumber=") == sent, "no part goes up twice")
        #expect(try server.asked("POST", prefix, "?uploads=") == 1)
        try await store.verify(digest)
    }

    @Test func `an upload that nobody goes on with is cleaned away once it is old, and not before`() async throws {
        let bucket = try server.bucket(prefix: UUID().uuidString)
        let client = S3Client(bucket: bucket)
        let digest = Digest(of: Data("abandoned".utf8))
        let key = "sha256/\(digest.hex.prefix(2))/\(digest.hex)"
        _ = try await client.ask(.init(method: "POST", key: key, query: [("uploads", "")]))
        let store = ArtifactStore(root: folder + "/store", bucket: bucket)
        let none: @Sendable () async throws -> ReferenceSet = { ReferenceSet() }
        // moto says of each that it was begun then: the time of the sweep moves instead.
        let begun = try #require(Timestamp("2010-11-10T20:48:33.000Z"))
        let grace = ArtifactStore.shortestGrace
        let young = begun.advanced(by: grace)
        let old = young.advanced(by: .seconds(1))
        // A shorter grace is not granted: somebody may be between two parts.
        for (now, asked, dryRun, expected) in [
            (young, Duration.zero, false, 0), (old, .seconds(86_400), false, 0), (old, .zero, true, 1),
            (old, .zero, false, 1), (old, .zero, false, 0),
        ] {
            let report = try await store.sweep(grace: asked, now: now, dryRun: dryRun, references: none)
            #expect(report.unfinished == expected, "\(now.text), \(asked)")
        }
    }

    @Test func `what somebody else changed in the bucket is noticed`() async throws {
        let bucket = try server.bucket(prefix: UUID().uuidString)
        let store = ArtifactStore(root: folder, bucket: bucket)
        let digest = try await store.put(Data("good".utf8))
        _ = try await S3Client(bucket: bucket).ask(
            .init(method: "PUT", key: "sha256/\(digest.hex.prefix(2))/\(digest.hex)", body: Data("evil".utf8)))
        await #expect(throws: ArtifactError.corrupted(digest, path: store.path(of: digest))) {
            try await store.read(digest)
        }
    }

    @Test(arguments: [
        "s3://", "s3://B", "http://bucket", "s3://bucket/..", "s3://bucket/a b", "s3://bucket/%2e%2e",
        "s3://under_score",
    ])
    func `an address that is none is refused`(address: String) {
        #expect(throws: ArtifactError.self) {
            try S3Bucket(address: address, credentials: { .init(key: "", secret: "") })
        }
    }

    @Test(arguments: ["ftp://x", "https://x/path", "https://user@x", "x:9000"])
    func `an endpoint that is none is refused`(endpoint: String) {
        #expect(throws: ArtifactError.self) {
            try S3Bucket(address: "s3://bucket", endpoint: endpoint, credentials: { .init(key: "", secret: "") })
        }
    }

    @Test func `a bucket of Amazon's has a host of its own, others a path`() throws {
        let none: @Sendable () -> S3Bucket.Credentials = { .init(key: "", secret: "") }
        let amazon = try S3Bucket(address: "s3://models/team", region: "eu-central-1", credentials: none)
        #expect(amazon.base == "https://models.s3.eu-central-1.amazonaws.com" && amazon.prefix == "team")
        let other = try S3Bucket(address: "s3://models", endpoint: "http://127.0.0.1:9000/", credentials: none)
        #expect(other.base == "http://127.0.0.1:9000/models")
    }

    static let cuts: [(size: Int64, count: Int, length: Int64)] = [
        (0, 1, 16 << 20), (16 << 20, 1, 16 << 20), ((16 << 20) + 1, 2, 16 << 20),
        (160_000 << 20, 10_000, 16 << 20), ((160_000 << 20) + 1, 9_412, 17 << 20),
    ]

    @Test(arguments: cuts)
    func `a file is cut into as many parts as S3 takes`(size: Int64, count: Int, length: Int64) {
        let parts = S3Parts(size: size)
        #expect(parts.count == count && parts.length == length)
        #expect(parts.range(of: count).upperBound == size)
    }
}
