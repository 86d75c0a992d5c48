import Foundation
import ServiceKit
import Store
import Synchronization

/// Tells a creation that is sent again, because its answer got lost, from one that is wished twice.
///
/// What a replica answers, or has delivered, is known to it, and others see in the database that it is a living one's:
/// the same request again is then a new wish. What was made by a process that died, or whose answer broke off, is told
/// once more.
///
/// What was delivered is soon forgotten in the database too, and all of it at a graceful end. After a `kill -9` nobody
/// knows what of the last second arrived: that is told once more. An answer that the kernel took counts as delivered;
/// where it is lost behind that, by a proxy, say, the same request again makes a second.
final class CreateMemory: Sendable {
    private struct State {
        /// Answers on their way, and those that were delivered and still stand in the database.
        var known: Set<Data> = []
        /// Those that were delivered, each with its request: to be forgotten with the next creation.
        var delivered: [Data: String] = [:]
    }

    private let state = Mutex(State())
    private let deliveries = WakeSignal()
    private let replica: AnsweringReplica

    init(_ replica: AnsweringReplica) { self.replica = replica }

    /// As whose the database knows what is made here.
    var owner: String { replica.name }

    /// Whether nobody answers it any more, and it may never have arrived.
    func isLost(_ made: MadeBefore) -> Bool {
        if made.owner == owner { return state.withLock { !$0.known.contains(made.answer) } }
        return !replica.isAlive(made.owner)
    }

    fileprivate func begin(_ answer: Data) { state.withLock { _ = $0.known.insert(answer) } }

    fileprivate func end(_ answer: Data, to request: String, isDelivered: Bool) {
        state.withLock { state in
            if isDelivered {
                state.delivered[answer] = request
            } else {
                _ = state.known.remove(answer)
            }
        }
        if isDelivered { deliveries.wake() }
    }

    /// Some that were delivered, for one transaction to forget.
    func takeDelivered() -> [Data: String] {
        state.withLock { state in
            let some = state.delivered.prefix(8)
            for (answer, _) in some { state.delivered[answer] = nil }
            return Dictionary(uniqueKeysWithValues: some.map { ($0.key, $0.value) })
        }
    }

    /// Their transaction is on disk.
    func forget(_ some: [Data: String]) { state.withLock { $0.known.subtract(some.keys) } }

    /// Their transaction came to nothing: they are still to be forgotten.
    func putBack(_ some: [Data: String]) {
        guard !some.isEmpty else { return }
        state.withLock { $0.delivered.merge(some) { $1 } }
        deliveries.wake()
    }

    /// Forgets what no creation has forgotten within a second, until it is canceled.
    func keepForgetting(in store: StateStore) async throws {
        for await _ in deliveries.wakes {
            try await Task.sleep(for: .seconds(1))
            // The disk is full, perhaps: what was put back is tried again.
            try? await forgetDelivered(in: store)
        }
    }

    /// Forgets all that was delivered.
    func forgetDelivered(in store: StateStore) async throws {
        while true {
            let some = takeDelivered()
            guard !some.isEmpty else { return }
            do {
                try await store.write { tx in
                    for old in some { try tx.forget(answer: old.key, to: old.value) }
                }
            } catch {
                putBack(some)
                throw error
            }
            forget(some)
        }
    }
}

/// One answer on its way. It names what was made, so no two are alike; when it is dropped before it was delivered, its
/// request may be sent again.
final class Delivery: Sendable {
    let answer: Data
    private let request: String
    private let memory: CreateMemory
    private let isDelivered = Mutex(false)

    init(_ answer: Data, to request: String, _ memory: CreateMemory) {
        self.answer = answer
        self.request = request
        self.memory = memory
        memory.begin(answer)
    }

    func succeeded() { isDelivered.withLock { $0 = true } }

    deinit { memory.end(answer, to: request, isDelivered: isDelivered.withLock { $0 }) }
}
