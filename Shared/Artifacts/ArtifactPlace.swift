import Foundation
import Messages

/// Where the bytes of artifacts are, by their digest: a folder, or a bucket. One conformance suite holds for all.
package protocol ArtifactPlace: Sendable {
    /// For people: a folder, or `s3://bucket/prefix`.
    var address: String { get }

    /// The place of one artifact, for people.
    func name(of digest: Digest) -> String

    /// Where it is a file that anybody may open; `nil` where it is elsewhere, or not there.
    func file(of digest: Digest) -> String?

    /// `nil` when it is not here.
    func find(_ digest: Digest) async throws -> StoredArtifact?

    /// Makes what was found young again, so that no sweep which began before takes it away; `false` where only keeping
    /// it again does that.
    func renew(_ found: StoredArtifact) async throws -> Bool

    /// Keeps a complete file as this artifact: durable when it returns, there completely or not at all. The file may be
    /// gone afterwards.
    ///
    /// What was begun by a process that died is gone on with.
    /// - Parameter hold: taken before the step that makes it visible.
    func keep(
        _ path: String, as digest: Digest, size: Int64, hold: @Sendable () async throws -> SweepLock
    ) async throws

    /// Its bytes from that one on.
    func open(_ digest: Digest, from offset: Int64) async throws -> any ArtifactPieces

    /// Takes bytes that were found damaged out of the way, unless others have taken their place; `nil`: they are where they
    /// were.
    func setAside(_ damaged: StoredArtifact) async throws -> String?

    /// What was set aside, of all artifacts.
    func damaged() async throws -> [StoredArtifact]

    /// Takes away what was set aside of an artifact.
    /// - Returns: `false` where there is none as old.
    func removeDamaged(_ digest: Digest, before time: Timestamp) async throws -> Bool

    /// Why it is not here: it never was, or it was damaged.
    func absence(of digest: Digest) async throws -> ArtifactError

    /// Everything that is here, some at a time, in no order.
    func list(_ visit: @Sendable ([StoredArtifact]) async throws -> Void) async throws

    func remove(_ digest: Digest) async throws

    /// Ends uploads that were begun before that time and never finished.
    /// - Returns: how many, or would be.
    func removeUnfinished(before time: Timestamp, dryRun: Bool) async throws -> Int
}

/// An artifact as its place tells of it.
package struct StoredArtifact: Sendable, Hashable {
    package var digest: Digest
    package var size: Int64
    /// When it was kept, or last asked to be.
    package var modified: Timestamp
    /// Bytes that were found damaged, and set aside.
    package var isDamaged = false

    package init(digest: Digest, size: Int64, modified: Timestamp) {
        self.digest = digest
        self.size = size
        self.modified = modified
    }
}

/// The bytes of one artifact, a piece at a time. One reader.
package protocol ArtifactPieces: Sendable {
    /// `nil` at the end.
    func next() async throws -> Data?
}

extension ArtifactPlace {
    package func file(of digest: Digest) -> String? { nil }
    package func renew(_ found: StoredArtifact) async throws -> Bool { false }
    package func setAside(_ damaged: StoredArtifact) async throws -> String? { nil }
    package func damaged() async throws -> [StoredArtifact] { [] }
    package func removeDamaged(_ digest: Digest, before time: Timestamp) async throws -> Bool { false }
    package func absence(of digest: Digest) async throws -> ArtifactError { .missing(digest) }
}
