import Foundation
import GRDB
import Messages
import Store
import Synchronization

/// Where each endpoint's requests go just now, in memory; and how many are under way to each deployment.
///
/// Looking a backend up and counting the request is one step: a version that is being drained gets no new request.
final class RouteTable: Sendable {
    struct Backend: Sendable, Hashable {
        var deployment: String
        var version: Int
        var port: Int
        /// The gateway beside which the process runs; `nil`: this machine's.
        var home: String?
        /// Its process answered when it was last looked at.
        var isUp = true
    }

    enum Lookup: Sendable, Hashable {
        case backend(Backend)
        /// What serves is being started again.
        case down(Backend)
        /// The endpoint is known, and nothing serves it.
        case nothing
        case unknown([String])
    }

    private struct State {
        var revision: Int64 = -1
        var backends: [String: Backend?] = [:]
        var underWay: [String: Int] = [:]
        var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
    }

    private let state = Mutex(State())
    private let store: StateStore

    init(store: StateStore) { self.store = store }

    /// Takes over what the store says; all endpoints at once.
    func load() async throws {
        let (revision, backends) = try await store.read { db in
            (try RolloutQueries.revision(db), try Self.read(db))
        }
        // Two loads may overtake each other: the older one's table is dropped.
        state.withLock { state in
            guard revision > state.revision else { return }
            state.revision = revision
            state.backends = backends
        }
    }

    private static func read(_ db: Database) throws -> [String: Backend?] {
        var backends: [String: Backend?] = [:]
        for endpoint in try RolloutQueries.endpoints(db) {
            let record = try endpoint.current.flatMap { try RolloutQueries.deployment($0, db) }
            backends[endpoint.name] = .some(
                record.flatMap { record in
                    record.port.map { port in
                        Backend(
                            deployment: record.deployment.id, version: record.deployment.version, port: port,
                            home: record.home, isUp: record.deployment.isUp)
                    }
                })
        }
        return backends
    }

    /// Where to send a request now; a backend that is given out is counted until `finished`.
    func begin(_ endpoint: String) -> Lookup {
        state.withLock { state in
            guard let known = state.backends[endpoint] else { return .unknown(state.backends.keys.sorted()) }
            guard let backend = known else { return .nothing }
            guard backend.isUp else { return .down(backend) }
            state.underWay[backend.deployment, default: 0] += 1
            return .backend(backend)
        }
    }

    func finished(_ backend: Backend) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            let left = (state.underWay[backend.deployment] ?? 1) - 1
            state.underWay[backend.deployment] = left > 0 ? left : nil
            return left > 0 ? [] : state.waiting.removeValue(forKey: backend.deployment) ?? []
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when no request to the deployment is under way any more, or the time is up.
    func drained(_ deployment: String, within limit: Duration) async {
        _ = try? await firstOf({ await self.idle(deployment) }, { try await Task.sleep(for: limit) })
    }

    private func idle(_ deployment: String) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isIdle = state.withLock { state in
                    if state.underWay[deployment] == nil || Task.isCancelled { return true }
                    state.waiting[deployment, default: []].append(continuation)
                    return false
                }
                if isIdle { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { $0.waiting.removeValue(forKey: deployment) ?? [] }
            for continuation in waiting { continuation.resume() }
        }
    }
}
