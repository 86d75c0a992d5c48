import Foundation
import Messages

/// A content-addressed folder: `<root>/sha256/ab/<hex>`. What is stored never changes and is there completely or not at all.
package final class ArtifactStore: Sendable {
    package let root: String
    private let queue = DispatchQueue(label: "dev.martlet.artifacts", attributes: .concurrent)

    package init(root: String) { self.root = root }

    /// Stores the bytes; the same bytes again are the same artifact.
    @discardableResult
    package func put(_ bytes: Data) async throws -> Digest {
        try await offload { store in
            let digest = Digest(of: bytes)
            guard !store.holds(digest, size: Int64(bytes.count)) else { return digest }
            let temporary = try store.temporaryPath()
            defer { unlink(temporary) }
            let file = try DurableFile(creating: temporary)
            try file.write(bytes)
            try file.synchronize()
            try store.keep(temporary, as: digest)
            return digest
        }
    }

    /// Stores a copy of the file; never holds it in memory.
    @discardableResult
    package func put(file path: String) async throws -> Digest {
        try await offload { store in try store.copy(path).digest }
    }

    /// The artifact's bytes, checked against its digest.
    package func read(_ digest: Digest) async throws -> Data {
        try await offload { store in
            let path = store.path(of: digest)
            guard let bytes = FileManager.default.contents(atPath: path) else { throw ArtifactError.missing(digest) }
            guard Digest(of: bytes) == digest else { throw ArtifactError.corrupted(digest, path: path) }
            return bytes
        }
    }

    /// A part of the artifact's bytes, shorter at its end. Unchecked: `verify` it when the reading begins.
    package func read(_ digest: Digest, from offset: Int64, upTo count: Int) async throws -> Data {
        try await offload { store in
            let path = store.path(of: digest)
            guard let file = FileHandle(forReadingAtPath: path) else { throw ArtifactError.missing(digest) }
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(max(0, offset)))
            return try file.read(upToCount: count) ?? Data()
        }
    }

    /// Where the artifact is, or would be. Whoever opens it there reads unchecked bytes: `verify` first.
    package func path(of digest: Digest) -> String { "\(folder(of: digest))/\(digest.hex)" }

    package func contains(_ digest: Digest) async -> Bool { await size(digest) != nil }

    /// Bytes; `nil` when it is not here.
    package func size(_ digest: Digest) async -> Int64? {
        try? await offload { store in DurableFile.size(of: store.path(of: digest)) }
    }

    package func verify(_ digest: Digest) async throws {
        try await offload { store in try store.check(digest) }
    }

    /// Runs blocking file work away from Swift's own threads, which must never wait.
    func offload<Value: Sendable>(_ body: @escaping @Sendable (ArtifactStore) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body(self) }) }
        }
    }
}

// MARK: - On the dispatch queue

extension ArtifactStore {
    private func folder(of digest: Digest) -> String { "\(root)/sha256/\(digest.hex.prefix(2))" }

    private func holds(_ digest: Digest, size: Int64) -> Bool { DurableFile.size(of: path(of: digest)) == size }

    /// A name nobody else uses, on the same file system, so that the rename into place is one step.
    func temporaryPath() throws -> String {
        let folder = "\(root)/tmp"
        try DurableFile.createFolder(folder)
        return "\(folder)/\(UUID().uuidString.lowercased())"
    }

    func copy(_ path: String) throws -> (digest: Digest, size: Int64) {
        let temporary = try temporaryPath()
        defer { unlink(temporary) }
        let file = try DurableFile(creating: temporary)
        var hash = ContentHash()
        var size: Int64 = 0
        try DurableFile.eachPiece(of: path) { piece in
            hash.update(piece)
            size += Int64(piece.count)
            try file.write(piece)
        }
        let digest = hash.digest
        guard !holds(digest, size: size) else { return (digest, size) }
        try file.synchronize()
        try keep(temporary, as: digest)
        return (digest, size)
    }

    private func keep(_ temporary: String, as digest: Digest) throws {
        let folder = folder(of: digest)
        try DurableFile.createFolder(folder)
        chmod(temporary, 0o444)
        guard rename(temporary, path(of: digest)) == 0 else { throw DurableFile.failure(path(of: digest)) }
        try DurableFile.synchronizeFolder(folder)
    }

    func check(_ digest: Digest) throws {
        let path = path(of: digest)
        guard DurableFile.size(of: path) != nil else { throw ArtifactError.missing(digest) }
        var hash = ContentHash()
        try DurableFile.eachPiece(of: path) { hash.update($0) }
        guard hash.digest == digest else { throw ArtifactError.corrupted(digest, path: path) }
    }
}
