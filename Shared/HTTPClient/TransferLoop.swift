import CCurl
import Foundation
import Synchronization

/// Names a transfer before it exists, so that it can be canceled before, while and after it runs.
final class Ticket: Sendable {
    private let canceled = Atomic(false)

    var isCanceled: Bool { canceled.load(ordering: .acquiring) }
    func cancel() { canceled.store(true, ordering: .releasing) }
}

struct Submission: Sendable {
    let ticket: Ticket
    let request: HTTPRequest
    let sink: TransferSink
}

/// Where a transfer tells what happens; called on curl's thread.
struct TransferSink: Sendable {
    enum Answer { case taken, pause, tooLarge }

    let head: @Sendable (HTTPHead) -> Void
    let chunk: @Sendable (Data) -> Answer
    /// Exactly once, last; `nil` for a complete answer.
    let end: @Sendable (HTTPClientError?) -> Void
}

/// The thread around one curl multi handle. Other threads only put commands in the inbox and wake it.
final class TransferLoop: Sendable {
    private enum Command: Sendable {
        case begin(Submission)
        case cancel(Ticket)
        case resume(Ticket)
        case stop
    }

    private let inbox = Mutex<[Command]>([])
    // Of the multi handle only curl_multi_wakeup, which curl documents as thread-safe, is called from other threads.
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer?

    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init() {
        multi = Self.isReady ? curl_multi_init() : nil
        guard let multi else { return }
        _ = martlet_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 64)
        _ = martlet_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 512)
    }

    func begin(_ submission: Submission) {
        guard multi != nil else { return submission.sink.end(.other("libcurl could not be started")) }
        post(.begin(submission))
    }

    func cancel(_ ticket: Ticket) {
        ticket.cancel()
        post(.cancel(ticket))
    }

    func resume(_ ticket: Ticket) { post(.resume(ticket)) }
    func stop() { post(.stop) }

    private func post(_ command: Command) {
        inbox.withLock { $0.append(command) }
        if let multi { curl_multi_wakeup(multi) }
    }

    func start() {
        guard let multi else { return }
        // From here on only that thread uses it; others may wake it, which curl allows from anywhere.
        nonisolated(unsafe) let handle = multi
        let thread = Thread { [self] in
            run(handle)
            curl_multi_cleanup(handle)
        }
        thread.name = "http-client"
        thread.start()
    }

    private func run(_ multi: UnsafeMutableRawPointer) {
        var transfers: [ObjectIdentifier: Transfer] = [:]
        while true {
            for command in inbox.withLock({ queued in
                defer { queued = [] }
                return queued
            }) {
                switch command {
                case .begin(let submission):
                    let transfer = Transfer(submission)
                    if transfer.begin(in: multi) { transfers[ObjectIdentifier(submission.ticket)] = transfer }
                case .cancel(let ticket):
                    transfers.removeValue(forKey: ObjectIdentifier(ticket))?.end(in: multi, with: .canceled)
                case .resume(let ticket):
                    transfers[ObjectIdentifier(ticket)]?.resume()
                case .stop:
                    for transfer in transfers.values { transfer.end(in: multi, with: .canceled) }
                    return
                }
            }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            collect(multi, &transfers)
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
    }

    private func collect(_ multi: UnsafeMutableRawPointer, _ transfers: inout [ObjectIdentifier: Transfer]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let easy = message.pointee.easy_handle
            let code = martlet_curl_message_result(message)
            guard let (key, transfer) = transfers.first(where: { $0.value.easy == easy }) else { continue }
            transfers[key] = nil
            transfer.end(in: multi, with: transfer.error(for: code))
        }
    }
}
