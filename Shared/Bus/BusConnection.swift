import EventLog
import Foundation
import Logging
import Messages
import Synchronization

/// One process's way to the bus: publishes, listens, asks and answers.
///
/// For each bus two threads own the sockets, one for the live side and one for requests. libzmq reconnects by itself;
/// what was lost in between is found by sequence numbers, and requests that were on their way fail with
/// ``BusError/connectionLost`` unless another bus can be asked.
package final class BusConnection: Sendable {
    /// One, or two that run side by side.
    package let addresses: [BusAddress]
    package let logger: Logger
    private let credentials: BusCredentials?
    /// Messages dropped here, by reason.
    package let drops = DropCounts()

    private struct Running {
        var live: LiveSide
        var requests: RequestSide
        var threads: [SocketThread]
        var announcing: Task<Void, Never>
    }

    private let running = Mutex<Running?>(nil)
    private let handlers = Mutex<[String: [String: RequestHandler]]>([:])
    /// Targets whose publisher says hello with its log's head; a hello without one would let an older copy in.
    private let selfAnnouncing = Mutex<Set<String>>([])
    private let announceSignal = Signal()
    private let connectionListeners = Mutex<[@Sendable () -> Void]>([])

    /// For people.
    package var place: String { addresses.map(\.text).joined(separator: " or ") }

    /// - Parameter credentials: needed over tcp, unused on a local bus.
    package init(addresses: [BusAddress], credentials: BusCredentials? = nil, logger: Logger) {
        self.addresses = addresses
        self.credentials = credentials
        self.logger = logger
    }

    package convenience init(address: BusAddress, credentials: BusCredentials? = nil, logger: Logger) {
        self.init(addresses: [address], credentials: credentials, logger: logger)
    }

    /// Opens the sockets; returns before the bus is reached, which may start later.
    package func start() throws {
        let ways = try addresses.map { try open($0) }
        let announcing = Task { [weak self] in
            while let signal = self?.announceSignal, !Task.isCancelled {
                let pause = await self?.announce() ?? .seconds(10)
                await signal.wait(until: .now + pause)
            }
        }
        running.withLock {
            $0 = Running(
                live: LiveSide(ways.map(\.live)), requests: RequestSide(loops: ways.map(\.requests)),
                threads: ways.flatMap { live, requests in
                    [SocketThread("bus-live") { live.run() }, SocketThread("bus-requests") { requests.run() }]
                },
                announcing: announcing)
        }
    }

    private func open(_ address: BusAddress) throws -> (live: LiveLoop, requests: RequestLoop) {
        if let directory = address.directory { try BusAddress.prepare(directory) }
        if address.isEveryAddress {
            throw BusError.address("'\(address)' is a place to listen; name the host of the bus to dial it")
        }
        let credentials = address.needsKeys ? credentials : nil
        if address.needsKeys, credentials == nil {
            throw BusError.key("'\(address)' is dialed with a key only; make one with 'martlet keys generate CLIENT'")
        }
        let live = try LiveLoop(
            address: address, credentials: credentials, logger: logger, counts: drops,
            onSilent: { [weak self] in self?.fell(silent: address) })
        let requests = try RequestLoop(
            address: address, credentials: credentials, logger: logger, counts: drops,
            isHeard: { live.isBusThere },
            onRequest: { [weak self] in self?.answer($0, over: $1) },
            onConnected: { [weak self] in self?.connected() })
        return (live, requests)
    }

    /// A bus that hangs keeps its connections; where there is another, nobody waits for its answers.
    private func fell(silent address: BusAddress) {
        guard let requests, requests.loops.contains(where: { $0.standing == 0 }) else { return }
        requests.loops.first { $0.address == address }?.giveUp()
    }

    /// Closes the sockets; whoever still waits for an answer gets ``BusError/closed``.
    package func shutdown() async {
        let ended = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let ended else { return }
        ended.announcing.cancel()
        ended.live.stop()
        for loop in ended.requests.loops { loop.stop() }
        for thread in ended.threads { await thread.join() }
    }

    var live: LiveSide? { running.withLock { $0?.live } }
    private var requests: RequestSide? { running.withLock { $0?.requests } }

    /// Whether the bus's own heartbeat came within the last five seconds.
    package var isConnected: Bool {
        guard let heard = live?.lastHeardBus else { return false }
        return ContinuousClock.now - heard < BusWatch.patience
    }

    /// What keeps this side from reaching a bus, in words for people; a bus that is away is none of it.
    package var problems: [String] {
        let found = running.withLock { running in
            guard let running else { return [String]() }
            return (running.live.loops.map(\.problem) + running.requests.loops.map(\.problem)).compactMap(\.self)
        }
        return Set(found).sorted()
    }

    private func connected() {
        announceSignal.set()
        for listener in connectionListeners.withLock({ $0 }) { listener() }
    }

    func announcesItself(_ source: Source) {
        _ = selfAnnouncing.withLock { $0.insert(source.name) }
    }

    /// Calls back, on a thread that must not be blocked, whenever requests can reach the bus anew.
    func whenConnected(_ listener: @escaping @Sendable () -> Void) {
        connectionListeners.withLock { $0.append(listener) }
    }
}

// MARK: - Asking

extension BusConnection {
    /// Asks a target and waits for its answer; also a bad status is an answer.
    ///
    /// At most ``BusLimits/requestsInFlight`` are on their way, the others wait their turn within their timeout.
    package func request(
        _ method: String, to target: String, params: JSONValue, body: [Data] = [], timeout: Duration
    ) async throws(BusError) -> BusReply {
        guard let requests else { throw .closed }
        guard let encoded = try? Wire.encode(params) else { throw .malformed("'\(method)': params are not JSON") }
        let frames = RequestFrames(
            correlation: Self.newCorrelation(), method: method, target: target, deadline: timeout,
            params: encoded, body: body)
        let size = frames.frames.reduce(0) { $0 + $1.count }
        guard size <= BusLimits.requestBytes else { throw .tooLarge(bytes: size) }
        let reply = try await requests.ask(frames).get()
        if reply.status == 504 { throw .timedOut(method: method, target: target) }
        guard let value = try? Wire.decode(JSONValue.self, from: reply.params) else {
            throw .malformed("'\(target)' answered '\(method)' with something that is not JSON")
        }
        return BusReply(status: reply.status, params: value, body: reply.body)
    }

    /// Where a log stands, asked from its owner.
    package func head(of source: Source, timeout: Duration = .seconds(5)) async throws(BusError) -> LogHead {
        let request = FetchRequest(epoch: 0, after: 0, limit: 0)
        let reply = try await fetch(request, from: source, timeout: timeout)
        switch FetchAnswer(reply, of: source) {
        case .records(_, let head), .compacted(let head): return head
        case .failed(let reason): throw .malformed("'\(source)' did not say where its log stands: \(reason)")
        }
    }

    func fetch(_ request: FetchRequest, from source: Source, timeout: Duration) async throws(BusError) -> BusReply {
        let params: JSONValue = [
            "epoch": .int(Int(request.epoch)), "after": .int(Int(request.after)), "limit": .int(request.limit),
            "maxBytes": .int(request.maxBytes),
        ]
        return try await self.request("fetch", to: source.name, params: params, timeout: timeout)
    }

    private static func newCorrelation() -> Data {
        var random = SystemRandomNumberGenerator()
        return withUnsafeBytes(of: (random.next(), random.next())) { Data($0) }
    }
}

// MARK: - Answering

extension BusConnection {
    /// Answers requests to a target; adds to the methods that it answers already. Any other method gets a 404.
    package func serve(as target: Source, _ handlers: [String: RequestHandler]) {
        self.handlers.withLock { all in
            all[target.name, default: [:]].merge(handlers) { $1 }
        }
        announceSignal.set()
    }

    private func answer(_ frames: RequestFrames, over way: RequestLoop) {
        let (handler, known) = handlers.withLock { ($0[frames.target]?[frames.method], $0[frames.target] != nil) }
        guard let handler else {
            let what = known ? "method '\(frames.method)'" : "target"
            return reply(.refused(404, "'\(frames.target)' has no such \(what)"), to: frames, over: way)
        }
        guard let params = try? Wire.decode(JSONValue.self, from: frames.params), params.object != nil else {
            return reply(.refused(400, "the params are not a JSON object"), to: frames, over: way)
        }
        let request = BusRequest(
            method: frames.method, user: params["user"]?.string ?? "", params: params, body: frames.body,
            deadline: frames.deadline)
        Task { [self] in reply(await handler(request), to: frames, over: way) }
    }

    private func reply(_ reply: BusReply, to request: RequestFrames, over way: RequestLoop) {
        var answer = ReplyFrames(
            correlation: request.correlation, status: reply.status, params: (try? Wire.encode(reply.params)) ?? Data(),
            body: reply.body)
        let size = answer.params.count + answer.body.reduce(200) { $0 + $1.count }
        if size > BusLimits.requestBytes || answer.frames.count > BusLimits.requestFrames {
            answer.status = 413
            answer.params = Data(#"{"error":"the answer is too large for the bus"}"#.utf8)
            answer.body = []
        }
        way.reply(answer)
    }

    /// Tells the bus which targets are answered here; returns when to do so again.
    private func announce() async -> Duration {
        var pause = Duration.seconds(10)
        let targets = handlers.withLock { Set($0.keys) }.subtracting(selfAnnouncing.withLock { $0 })
        for target in targets.sorted() {
            let reply = try? await request(
                "hello", to: "bus", params: ["source": .string(target)], timeout: .seconds(5))
            if reply?.status != 200 { pause = .seconds(1) }
        }
        return pause
    }
}
