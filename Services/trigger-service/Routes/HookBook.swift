import Store
import Synchronization

/// Which repositories hear webhooks: remembered for a second, for a forge that sends a thousand of them in one.
///
/// Whoever does not find a repository in it reads it anew, so that one that was just added is heard at once.
final class HookBook: Sendable {
    private static let age = Duration.seconds(1)

    private let store: StateStore
    private let known = Mutex<(hooks: [RepositoryHook], read: ContinuousClock.Instant)?>(nil)

    init(store: StateStore) { self.store = store }

    func hooks() async throws -> [RepositoryHook] {
        if let known = known.withLock({ $0 }), .now - known.read < Self.age { return known.hooks }
        return try await read()
    }

    func read() async throws -> [RepositoryHook] {
        let begun = ContinuousClock.now
        let hooks = try await store.read { try RepositoryQueries.hooks(in: $0) }
        known.withLock { $0 = (hooks, begun) }
        return hooks
    }
}
