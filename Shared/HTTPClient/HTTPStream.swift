import Foundation
import Synchronization

/// An answer whose body is read in pieces. One reader.
package struct HTTPStream: AsyncSequence, Sendable {
    package let head: HTTPHead
    let queue: BodyQueue
    let hold: StreamHold

    package struct AsyncIterator: AsyncIteratorProtocol {
        let queue: BodyQueue
        let hold: StreamHold

        package mutating func next() async throws(HTTPClientError) -> Data? {
            try await queue.pull().get()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue, hold: hold) }
}

/// Lives as long as somebody can still read: curl's thread holds the queue, but never this.
final class StreamHold: Sendable {
    private let abandon: @Sendable () -> Void

    init(abandon: @escaping @Sendable () -> Void) { self.abandon = abandon }

    deinit { abandon() }
}

/// Pieces between curl's thread, which must not wait, and a task, which may.
final class BodyQueue: Sendable {
    private struct State {
        var chunks: [Data] = []
        var bytes = 0
        var isPaused = false
        var isClosed = false
        var error: HTTPClientError?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private static let limit = 1 << 20
    private let state = Mutex(State())
    private let resume: @Sendable () -> Void
    private let abandon: @Sendable () -> Void

    init(resume: @escaping @Sendable () -> Void, abandon: @escaping @Sendable () -> Void) {
        self.resume = resume
        self.abandon = abandon
    }

    /// `false`: full; curl keeps the piece and hands it in again after `resume`.
    func push(_ chunk: Data) -> Bool {
        let (taken, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.bytes < Self.limit else {
                state.isPaused = true
                return (false, nil)
            }
            state.chunks.append(chunk)
            state.bytes += chunk.count
            return (true, state.waiter.take())
        }
        waiter?.resume()
        return taken
    }

    func close(_ error: HTTPClientError?) {
        let waiter = state.withLock { state in
            state.isClosed = true
            state.error = error
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Everything that has come since the last call; `nil` after the end.
    func pull() async -> Result<Data?, HTTPClientError> {
        while true {
            if let ready = take() { return ready }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        if !state.chunks.isEmpty || state.isClosed { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                abandon()
            }
        }
    }

    private func take() -> Result<Data?, HTTPClientError>? {
        let (ready, wasPaused) = state.withLock { state -> (Result<Data?, HTTPClientError>?, Bool) in
            if !state.chunks.isEmpty {
                let all = state.chunks.reduce(into: Data()) { $0.append($1) }
                state.chunks = []
                state.bytes = 0
                let wasPaused = state.isPaused
                state.isPaused = false
                return (.success(all), wasPaused)
            }
            guard state.isClosed else { return (nil, false) }
            return (state.error.map(Result.failure) ?? .success(nil), false)
        }
        if wasPaused { resume() }
        return ready
    }
}
