import Foundation
import Messages

/// An artifact whose bytes come one after the other. Nothing is stored before `finish`; let go of, it leaves nothing.
package actor ArtifactUpload {
    private let store: ArtifactStore
    private let path: String
    private let file: DurableFile
    private var hash = ContentHash()
    private var size: Int64 = 0

    init(store: ArtifactStore) async throws {
        self.store = store
        let path = try store.temporaryPath()
        self.path = path
        file = try await store.queue.run { try DurableFile(creating: path) }
    }

    deinit { unlink(path) }

    /// One piece after the other: the next one is handed in when this returns.
    package func append(_ piece: Data) async throws {
        hash.update(piece)
        size += Int64(piece.count)
        try await store.queue.run { [file] in try file.write(piece) }
    }

    package func finish() async throws -> (digest: Digest, size: Int64) {
        let staged = ArtifactStore.Staged(path: path, digest: hash.digest, size: size)
        try await store.keep(staged)
        return (staged.digest, staged.size)
    }
}
