import Foundation
import Synchronization

/// HTTP over libcurl: one thread drives all transfers, connections are kept and used again.
///
/// Cancelling the task that waits aborts its transfer. One client for a service is enough.
package final class HTTPClient: Sendable {
    private let loop: TransferLoop

    package init() {
        loop = TransferLoop()
        loop.start()
    }

    deinit { loop.stop() }

    /// The whole answer, whatever its status: a 500 is an answer, no answer is an error.
    package func send(_ request: HTTPRequest) async throws(HTTPClientError) -> HTTPResponse {
        let collector = Collector(limit: request.maxResponseBytes)
        let result = await perform(request) { finish in
            TransferSink(
                head: { collector.begin($0) },
                chunk: { collector.add($0) ? .taken : .tooLarge },
                end: { error in finish(error.map(Result.failure) ?? .success(collector.response)) })
        }
        return try result.get()
    }

    /// The answer's head, then its body in pieces as they come, for example a followed log.
    ///
    /// A reader that is slower than the sender slows the sender down. Letting go of the stream aborts the transfer.
    package func stream(_ request: HTTPRequest) async throws(HTTPClientError) -> HTTPStream {
        let ticket = Ticket()
        let abandon: @Sendable () -> Void = { [loop] in loop.cancel(ticket) }
        let queue = BodyQueue(resume: { [loop] in loop.resume(ticket) }, abandon: abandon)
        let result: Result<HTTPHead, HTTPClientError> = await perform(request, ticket: ticket) { finish in
            TransferSink(
                head: { finish(.success($0)) },
                chunk: { queue.push($0) ? .taken : .pause },
                end: { error in
                    queue.close(error)
                    finish(.failure(error ?? .lost(request.place)))
                })
        }
        return HTTPStream(head: try result.get(), queue: queue, hold: StreamHold(abandon: abandon))
    }

    private func perform<Value: Sendable>(
        _ request: HTTPRequest, ticket: Ticket = Ticket(),
        sink: (@escaping @Sendable (Result<Value, HTTPClientError>) -> Void) -> TransferSink
    ) async -> Result<Value, HTTPClientError> {
        if let problem = request.problem() { return .failure(.other(problem)) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let once = Once { continuation.resume(returning: $0) }
                loop.begin(Submission(ticket: ticket, request: request, sink: sink { once.call($0) }))
            }
        } onCancel: {
            loop.cancel(ticket)
        }
    }
}

/// Takes the first call only: a stream's head and its end may both want to answer the same wait.
private final class Once<Value: Sendable>: Sendable {
    private let action: Mutex<(@Sendable (sending Value) -> Void)?>

    init(_ action: @escaping @Sendable (sending Value) -> Void) { self.action = Mutex(action) }

    func call(_ value: Value) {
        let action = action.withLock { held in
            defer { held = nil }
            return held
        }
        action?(value)
    }
}

private final class Collector: Sendable {
    private struct State {
        var head = HTTPHead(status: 0)
        var body = Data()
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func begin(_ head: HTTPHead) {
        state.withLock { $0 = State(head: head) }
    }

    func add(_ chunk: Data) -> Bool {
        state.withLock {
            guard $0.body.count + chunk.count <= limit else { return false }
            $0.body.append(chunk)
            return true
        }
    }

    var response: HTTPResponse {
        state.withLock { HTTPResponse(head: $0.head, body: $0.body) }
    }
}
