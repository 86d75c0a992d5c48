import Foundation
import Messages

/// The content-addressed store. What is stored never changes and is there completely or not at all.
///
/// Whatever the place of the artifacts, `root` is a folder of this machine: unfinished files and live logs are there.
package final class ArtifactStore: Sendable {
    package let root: String
    let place: any ArtifactPlace
    let queue: FileQueue

    /// - Parameter bucket: where the artifacts are; `nil` for the folder itself.
    package init(root: String, bucket: S3Bucket? = nil) {
        self.root = root
        let queue = FileQueue()
        self.queue = queue
        place = bucket.map { S3Place(bucket: $0, queue: queue) } ?? FolderPlace(root: root, queue: queue)
    }

    /// Stores the bytes; the same bytes again are the same artifact.
    @discardableResult
    package func put(_ bytes: Data) async throws -> Digest {
        let path = try temporaryPath()
        let staged = Staged(path: path, digest: Digest(of: bytes), size: Int64(bytes.count))
        if try await isKept(staged) { return staged.digest }
        defer { unlink(path) }
        try await queue.run { try DurableFile(creating: path).write(bytes) }
        try await place(staged)
        return staged.digest
    }

    /// Stores a copy of the file; never holds it in memory.
    @discardableResult
    package func put(file path: String) async throws -> Digest {
        let staged = try await queue.run { [self] in try stage(path) }
        defer { unlink(staged.path) }
        try await keep(staged)
        return staged.digest
    }

    /// For bytes that come one after the other.
    package func upload() async throws -> ArtifactUpload { try await ArtifactUpload(store: self) }

    /// The artifact's bytes, checked against its digest.
    package func read(_ digest: Digest) async throws -> Data {
        var all = Data()
        for try await piece in try await stream(digest) { all.append(piece) }
        return all
    }

    /// The artifact's bytes as they come, checked at their end.
    package func stream(_ digest: Digest) async throws -> ArtifactBytes {
        guard let artifact = try await place.find(digest) else { throw try await place.absence(of: digest) }
        return ArtifactBytes(artifact: artifact, pieces: try await place.open(digest, from: 0), store: self)
    }

    /// A part of the artifact's bytes, shorter at its end. Unchecked: `verify` it when the reading begins.
    package func read(_ digest: Digest, from offset: Int64, upTo count: Int) async throws -> Data {
        guard let artifact = try await place.find(digest) else { throw try await place.absence(of: digest) }
        let start = max(0, offset)
        guard start < artifact.size else { return Data() }
        let pieces = try await place.open(digest, from: start)
        var part = Data()
        while part.count < count, let piece = try await pieces.next() { part.append(piece) }
        return Data(part.prefix(count))
    }

    /// Where all of it is, for people: a folder, or a bucket.
    package var address: String { place.address }

    /// Where the artifact is, or would be, for people: a path, or an address in a bucket.
    package func path(of digest: Digest) -> String { place.name(of: digest) }

    package func contains(_ digest: Digest) async throws -> Bool { try await size(digest) != nil }

    /// Bytes; `nil` when it is not here.
    package func size(_ digest: Digest) async throws -> Int64? { try await place.find(digest)?.size }

    package func verify(_ digest: Digest) async throws {
        for try await _ in try await stream(digest) {}
    }

    /// Takes damaged bytes out of the way: else storing the artifact again would find it there.
    /// - Returns: where they are now.
    func setAside(_ damaged: StoredArtifact) async -> String {
        // While others store, the next reader does it.
        guard let lock = try? SweepLock.attempt(lockPath, .alone) else { return place.name(of: damaged.digest) }
        defer { withExtendedLifetime(lock) {} }
        return (try? await place.setAside(damaged)) ?? place.name(of: damaged.digest)
    }

    /// Gives the artifact's bytes as a file of this machine, checked.
    func withFile<Value: Sendable>(
        of digest: Digest, _ body: @escaping @Sendable (String) throws -> Value
    ) async throws -> Value {
        if let path = place.file(of: digest) {
            try await verify(digest)
            return try await queue.run { try body(path) }
        }
        let path = try temporaryPath()
        defer { unlink(path) }
        let bytes = try await stream(digest)
        let file = try await queue.run { try DurableFile(creating: path) }
        for try await piece in bytes { try await queue.run { try file.write(piece) } }
        return try await queue.run { try body(path) }
    }
}

// MARK: - Storing

extension ArtifactStore {
    /// A complete file that is not stored yet.
    struct Staged: Sendable {
        var path: String
        var digest: Digest
        var size: Int64
    }

    var temporaryFolder: String { "\(root)/tmp" }

    /// A name nobody else uses, on the same file system, so that the rename into place is one step.
    func temporaryPath() throws -> String {
        try DurableFile.createFolder(temporaryFolder)
        return "\(temporaryFolder)/\(UUID().uuidString.lowercased())"
    }

    var lockPath: String { "\(root)/sweep.lock" }

    /// Blocking: on the queue only.
    func stage(_ path: String) throws -> Staged {
        let temporary = try temporaryPath()
        do {
            let file = try DurableFile(creating: temporary)
            var hash = ContentHash()
            var size: Int64 = 0
            try DurableFile.eachPiece(of: path) { piece in
                hash.update(piece)
                size += Int64(piece.count)
                try file.write(piece)
            }
            return Staged(path: temporary, digest: hash.digest, size: size)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    func keep(_ staged: Staged) async throws {
        if try await !isKept(staged) { try await place(staged) }
    }

    private func place(_ staged: Staged) async throws {
        try await place.keep(staged.path, as: staged.digest, size: staged.size) { [lockPath] in
            try await SweepLock.take(lockPath, .together)
        }
    }

    /// Nobody sweeps between the look and the artifact being young again.
    private func isKept(_ staged: Staged) async throws -> Bool {
        let lock = try await SweepLock.take(lockPath, .together)
        defer { withExtendedLifetime(lock) {} }
        guard let found = try await place.find(staged.digest), found.size == staged.size else { return false }
        return try await place.renew(found)
    }
}
