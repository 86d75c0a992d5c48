import Foundation
import Messages

/// An artifact's bytes as a stream; where they are not those of its digest, it ends with an error instead.
package struct ArtifactBytes: AsyncSequence, Sendable {
    package typealias Element = Data

    package let artifact: StoredArtifact
    let pieces: any ArtifactPieces
    let store: ArtifactStore

    package struct AsyncIterator: AsyncIteratorProtocol {
        let bytes: ArtifactBytes
        var hash = ContentHash()

        package mutating func next() async throws -> Data? {
            if let piece = try await bytes.pieces.next() {
                hash.update(piece)
                return piece
            }
            guard hash.digest == bytes.artifact.digest else {
                let place = await bytes.store.setAside(bytes.artifact)
                throw ArtifactError.corrupted(bytes.artifact.digest, path: place)
            }
            return nil
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: self) }
}
