import Artifacts
import Bus
import Foundation
import Messages
import Store
import Synchronization

/// Which artifacts this service refers to: whatever in its database looks like a digest, in its state as in its logs.
///
/// Nobody has to tell it about a new table. What refers to an artifact elsewhere than in a database has no say.
package actor ReferenceReport {
    package static let method = "references"
    /// Digests in a part: 128 KiB.
    private static let most = 4096

    private let store: StateStore
    /// The newest look, of which the asker takes one part after the other.
    private var parts: [Data] = []
    private var look = 0

    init(store: StateStore) { self.store = store }

    /// Params `look` and `part`: without a `look` the service looks anew. Answers with both, `parts`, and the digests.
    func answer(_ request: BusRequest) async -> BusReply {
        if let asked = request.params["look"]?.int {
            guard asked == look else { return .refused(410, "this look is over; ask without 'look'") }
        } else {
            do { try await lookAnew() } catch { return .refused(503, "\(error)") }
        }
        let part = request.params["part"]?.int ?? 0
        return .ok(
            ["look": .int(look), "parts": .int(parts.count), "part": .int(part)],
            body: parts.indices.contains(part) ? [parts[part]] : [])
    }

    private func lookAnew() async throws {
        parts = try await store.references().packed(most: Self.most)
        look = Int.random(in: 1...Int(Int32.max))
    }
}

extension StateStore {
    /// Everything that its database refers to.
    package func references() async throws -> ReferenceSet {
        let found = Found()
        try await eachStoredValue { found.add($0) }
        return found.references
    }
}

private final class Found: Sendable {
    private let found = Mutex(ReferenceSet())

    func add(_ bytes: UnsafeRawBufferPointer) {
        // Looked at under the lock only, before this returns: the bytes are the caller's that long.
        nonisolated(unsafe) let bytes = bytes
        found.withLock { $0.insert(allIn: bytes) }
    }

    var references: ReferenceSet { found.withLock { $0 } }
}
