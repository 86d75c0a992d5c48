import Foundation
import Messages

/// An artifact whose bytes come one after the other. Nothing is stored before `finish`; let go of, it leaves nothing.
package actor ArtifactUpload {
    private let store: ArtifactStore
    private let path: String
    private let file: DurableFile
    private var hash = ContentHash()
    private var size: Int64 = 0
    /// What has come and is not written yet.
    private var pending = Data()
    private static let pieceBytes = 1 << 20

    init(store: ArtifactStore) async throws {
        self.store = store
        let path = try store.temporaryPath()
        self.path = path
        file = try await store.queue.run { try DurableFile(creating: path) }
    }

    deinit { unlink(path) }

    /// One piece after the other: the next one is handed in when this returns.
    package func append(_ piece: Data) async throws {
        pending.append(piece)
        if pending.count >= Self.pieceBytes { try await writePending() }
    }

    /// Writes while it hashes: of a large file either takes about as long.
    private func writePending() async throws {
        let piece = pending
        pending = Data(capacity: piece.count)
        let offset = size
        size += Int64(piece.count)
        async let written: Void = store.queue.run { [file] in
            try file.write(piece)
            file.beginSynchronizing(from: offset, count: Int64(piece.count))
        }
        hash.update(piece)
        try await written
    }

    package func finish() async throws -> (digest: Digest, size: Int64) {
        if !pending.isEmpty { try await writePending() }
        let staged = ArtifactStore.Staged(path: path, digest: hash.digest, size: size)
        try await store.keep(staged)
        return (staged.digest, staged.size)
    }
}
