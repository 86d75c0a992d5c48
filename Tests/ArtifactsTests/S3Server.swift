import Foundation
import Spawning
import Testing

@testable import Artifacts

/// A real S3 server in a process of its own, which checks signatures: moto, from `Tests/Support/s3.py`.
final class S3Server: Sendable {
    struct Address: Decodable, Sendable {
        var endpoint: String
        var key: String
        var secret: String
        var bucket: String
    }

    /// One for all tests of this run: each takes a prefix of its own.
    static let shared = Result { try S3Server() }

    let address: Address
    private let program: ChildProgram

    private init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let python = root.path + "/.build/venv/bin/python"
        try #require(FileManager.default.fileExists(atPath: python), "run 'make .build/venv/ready' first")
        program = try ChildProgram([python, root.path + "/Tests/Support/s3.py"])
        address = try JSONDecoder().decode(Address.self, from: Data(program.firstLine.utf8))
    }

    func bucket(prefix: String, secret: String? = nil) throws -> S3Bucket {
        let address = address
        return try S3Bucket(
            address: "s3://\(address.bucket)/\(prefix)", endpoint: address.endpoint,
            credentials: { S3Bucket.Credentials(key: address.key, secret: secret ?? address.secret) })
    }

    /// How often it was asked something whose line has all these words.
    func asked(_ words: String...) throws -> Int {
        try String(contentsOfFile: program.errors, encoding: .utf8).split(separator: "\n").count { line in
            words.allSatisfy { line.contains($0) }
        }
    }
}
