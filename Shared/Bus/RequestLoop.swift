import Foundation
import Logging
import Messages
import Synchronization

/// The request side towards one bus: a DEALER that both asks and answers, in a context and on a thread of its own.
final class RequestLoop: Sendable {
    typealias Answer = Result<ReplyFrames, BusError>
    private typealias Ticket = @Sendable (Answer) -> Void

    private struct Orders {
        var calls: [CallTable<Ticket>.Call] = []
        var canceled: [Data] = []
        var replies: [[Data]] = []
        var givesUp = false
        var isOpen = true
    }

    let address: BusAddress
    private let credentials: BusCredentials?
    private let logger: Logger
    private let counts: DropCounts
    private let wakeup: Wakeup
    private let orders = Mutex(Orders())
    /// Called for each request from somebody else; must not block.
    private let onRequest: @Sendable (RequestFrames, RequestLoop) -> Void
    private let onConnected: @Sendable () -> Void
    private let connected = Mutex(false)
    /// Whether the bus's heartbeat is heard.
    private let isHeard: @Sendable () -> Bool
    private let refusalToldAt = Mutex<Duration?>(nil)
    private let opening = OpeningPauses()

    init(
        address: BusAddress, credentials: BusCredentials?, logger: Logger, counts: DropCounts,
        isHeard: @escaping @Sendable () -> Bool,
        onRequest: @escaping @Sendable (RequestFrames, RequestLoop) -> Void, onConnected: @escaping @Sendable () -> Void
    ) throws(BusError) {
        self.address = address
        self.credentials = credentials
        self.logger = logger
        self.counts = counts
        self.isHeard = isHeard
        self.onRequest = onRequest
        self.onConnected = onConnected
        wakeup = try Wakeup()
    }

    // MARK: From any thread

    var isConnected: Bool { connected.withLock { $0 } }

    /// Why its socket cannot be opened at the moment.
    var problem: String? { opening.problem }

    /// The lower, the rather it is asked: connected and heard, only connected, neither.
    var standing: Int { isConnected ? (isHeard() ? 0 : 1) : 2 }

    /// - Parameter sendWithin: after that it fails as unreachable unless it has been sent; `nil`: within its deadline.
    func ask(_ frames: RequestFrames, sendWithin: Duration?) async -> Answer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = uptime()
                let call = CallTable<Ticket>.Call(
                    frames: frames, deadline: now + frames.deadline, sendBy: sendWithin.map { now + $0 }
                ) {
                    continuation.resume(returning: $0)
                }
                let accepted = orders.withLock { orders in
                    if orders.isOpen { orders.calls.append(call) }
                    return orders.isOpen
                }
                guard accepted else { return continuation.resume(returning: .failure(.closed)) }
                // A cancellation before this point found nothing to cancel.
                if Task.isCancelled { cancel(frames.correlation) }
                wakeup.wake()
            }
        } onCancel: {
            cancel(frames.correlation)
        }
    }

    private func cancel(_ correlation: Data) {
        orders.withLock { $0.canceled.append(correlation) }
        wakeup.wake()
    }

    func reply(_ frames: ReplyFrames) {
        orders.withLock { $0.replies.append(frames.frames) }
        wakeup.wake()
    }

    /// What is on its way will not be answered: the bus is silent, and there is another.
    func giveUp() {
        orders.withLock { $0.givesUp = true }
        wakeup.wake()
    }

    func stop() {
        orders.withLock { $0.isOpen = false }
        wakeup.wake()
    }

    // MARK: On the socket's thread

    func run() {
        var calls = CallTable<Ticket>()
        while true {
            do throws(BusError) {
                try loop(&calls)
                break
            } catch {
                guard rest(after: error, &calls) else { break }
            }
        }
        let unseen = orders.withLock { orders in
            orders.isOpen = false
            defer { orders.calls = [] }
            return orders.calls
        }
        for call in calls.removeAll() + unseen { call.ticket(.failure(.closed)) }
    }

    /// Waits before the socket is opened again. Whoever asks meanwhile has until its deadline, as without a bus.
    /// - Returns: `false`: told to stop.
    private func rest(after error: BusError, _ calls: inout CallTable<Ticket>) -> Bool {
        let pause = opening.failed(error)
        logger.error(
            "the request connection cannot be opened, trying again",
            metadata: ["bus": "\(address)", "error": "\(error)", "pause": "\(pause)"])
        let end = uptime() + pause
        // Nobody was asked anything over a socket that is not there.
        var replies: [[Data]] = []
        var poll = PollSet()
        poll.add(wakeup)
        while true {
            wakeup.clear()
            guard takeOrders(&calls, &replies) else { return false }
            expire(&calls)
            let now = uptime()
            guard now < end else { return true }
            poll.wait(max(.zero, min(end, calls.nextDeadline ?? end) - now))
        }
    }

    private func loop(_ calls: inout CallTable<Ticket>) throws(BusError) {
        let context = try SocketContext()
        let dealer = try Socket(
            .dealer, in: context, options: SocketOption.dealer(address) + SocketOption.client(credentials))
        try dealer.monitor(at: "inproc://connection")
        let monitor = try Socket(.pair, in: context, options: SocketOption.pair)
        try monitor.connect(to: "inproc://connection")
        try dealer.connect(to: address.requests)
        opening.opened()
        var replies: [[Data]] = []
        var poll = PollSet()
        while true {
            wakeup.clear()
            guard takeOrders(&calls, &replies) else { return }
            let isFull = send(&calls, &replies, to: dealer)
            let more = receive(from: dealer, &calls)
            watch(monitor, &calls, &replies)
            expire(&calls)
            poll.clear()
            poll.add(dealer, output: isFull)
            poll.add(monitor)
            poll.add(wakeup)
            // An answer has made room for the next request: no waiting then.
            let pause = calls.nextDeadline.map { max(.zero, $0 - uptime()) }
            poll.wait(more || (!isFull && calls.sendable(now: .zero) != nil) ? .zero : pause)
        }
    }

    private func takeOrders(_ calls: inout CallTable<Ticket>, _ replies: inout [[Data]]) -> Bool {
        let taken = orders.withLock { orders in
            defer {
                orders.calls = []
                orders.canceled = []
                orders.replies = []
                orders.givesUp = false
            }
            return orders
        }
        for call in taken.calls where !calls.add(call) { call.ticket(.failure(.tooManyRequests)) }
        for correlation in taken.canceled { calls.cancel(correlation)?(.failure(.canceled)) }
        if taken.givesUp { fail(calls.disconnected()) }
        replies += taken.replies
        return taken.isOpen
    }

    /// - Returns: whether something is left because the socket takes no more, or is not connected.
    private func send(
        _ calls: inout CallTable<Ticket>, _ replies: inout [[Data]], to dealer: borrowing Socket
    ) -> Bool {
        var done = 0
        for reply in replies {
            guard dealer.send(reply) != .full else { break }
            done += 1
        }
        replies.removeFirst(done)
        while let frames = calls.sendable(now: uptime()) {
            guard dealer.send(frames.frames) != .full else { return true }
            calls.sent()
        }
        return !replies.isEmpty
    }

    /// - Returns: whether there may be more.
    private func receive(from dealer: borrowing Socket, _ calls: inout CallTable<Ticket>) -> Bool {
        for _ in 0..<64 {
            guard let (frames, cut) = dealer.receive() else { return false }
            do throws(RequestDrop) {
                if cut { throw .frames }
                switch try RequestMessage(parsing: frames) {
                case .reply(let reply): calls.answered(reply.correlation)?(.success(reply))
                case .request(let request): onRequest(request, self)
                }
            } catch {
                counts.add(error.rawValue)
            }
        }
        return true
    }

    private func watch(
        _ monitor: borrowing Socket, _ calls: inout CallTable<Ticket>, _ replies: inout [[Data]]
    ) {
        while let (frames, _) = monitor.receive() {
            switch ConnectionChange(monitorFrames: frames) {
            case .connected:
                connected.withLock { $0 = true }
                onConnected()
            case .disconnected:
                connected.withLock { $0 = false }
                // Another bus, or another life of it, knows nothing of these.
                replies = []
                fail(calls.disconnected())
            case .refused: tellRefused()
            case nil: continue
            }
        }
    }

    private func fail(_ lost: [CallTable<Ticket>.Call]) {
        for call in lost {
            call.ticket(.failure(.connectionLost(method: call.frames.method, target: call.frames.target)))
        }
    }

    /// Said at once and then once a minute: libzmq goes on trying.
    private func tellRefused() {
        // Without keys nobody is refused: the bus ended in the middle of a handshake.
        guard let credentials else { return }
        let now = uptime()
        let due = refusalToldAt.withLock { told in
            guard told.map({ now - $0 >= .seconds(60) }) ?? true else { return false }
            told = now
            return true
        }
        guard due else { return }
        logger.error(
            "the bus refuses this key; trying again. Authorize it with 'martlet keys authorize' where the bus runs, and compare event-bus.pub",
            metadata: ["address": "\(address)", "key": "\(credentials.own.publicKey)"])
    }

    private func expire(_ calls: inout CallTable<Ticket>) {
        for (call, wasSent) in calls.expired(now: uptime()) {
            let (method, target) = (call.frames.method, call.frames.target)
            call.ticket(
                .failure(
                    wasSent
                        ? .timedOut(method: method, target: target) : .unreachable(method: method, target: target)))
        }
    }
}
