import Foundation
import Synchronization

/// Tells whoever waits that something was committed; what it was is read again from the store.
final class Bell: Sendable {
    private struct State {
        var rings = 0
        var next = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    func ring() {
        let waiting = state.withLock { state in
            state.rings += 1
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    var rings: Int { state.withLock { $0.rings } }

    /// Returns once it has rung more often than `known`, or the task is canceled.
    func wait(past known: Int) async {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.rings > known || Task.isCancelled { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
    }

    /// Looks after each ring until there is an answer.
    func until<Value>(_ look: () async throws -> Value?) async throws -> Value {
        while true {
            try Task.checkCancellation()
            let known = rings
            if let value = try await look() { return value }
            await wait(past: known)
        }
    }
}
