import CZMQ
import Foundation

/// A libzmq context. Owned by the thread that owns its sockets, and ended after them.
package struct SocketContext: ~Copyable {
    fileprivate let pointer: UnsafeMutableRawPointer

    package init(ioThreads: Int32 = 2) throws(BusError) {
        guard let pointer = zmq_ctx_new() else { throw .socket("cannot make a context: \(lastProblem())") }
        self.pointer = pointer
        _ = zmq_ctx_set(pointer, ZMQ_IO_THREADS, ioThreads)
    }

    /// Waits until what is lingering has been sent.
    deinit { zmq_ctx_term(pointer) }
}

/// One libzmq socket. Not sendable and not copyable: libzmq sockets belong to the thread that made them.
///
/// `ZMQ_HEARTBEAT_*` is set nowhere: with back-pressure it aborts the whole process (libzmq 3937, 4229, 4364).
package struct Socket: ~Copyable {
    package enum Kind: Sendable {
        case pub, sub, xpub, xsub, dealer, router, pair, rep

        fileprivate var code: Int32 {
            switch self {
            case .pub: ZMQ_PUB
            case .sub: ZMQ_SUB
            case .xpub: ZMQ_XPUB
            case .xsub: ZMQ_XSUB
            case .dealer: ZMQ_DEALER
            case .router: ZMQ_ROUTER
            case .pair: ZMQ_PAIR
            case .rep: ZMQ_REP
            }
        }
    }

    package enum Sent: Sendable, Equatable {
        case sent
        /// The high-water mark is reached, or nobody is connected.
        case full
        /// ROUTER: nobody has this identity any more.
        case unroutable
        case failed(String)
    }

    fileprivate let pointer: UnsafeMutableRawPointer

    package init(
        _ kind: Kind, in context: borrowing SocketContext, options: [SocketOption], subscriptions: [String] = []
    ) throws(BusError) {
        pointer = try Self.open(kind, in: context, options: options, subscriptions: subscriptions)
    }

    /// Apart from `init`: a half-made value without a copy could not be thrown away.
    private static func open(
        _ kind: Kind, in context: borrowing SocketContext, options: [SocketOption], subscriptions: [String]
    ) throws(BusError) -> UnsafeMutableRawPointer {
        guard let pointer = zmq_socket(context.pointer, kind.code) else {
            throw .socket("cannot make a socket: \(lastProblem())")
        }
        do throws(BusError) {
            for option in options { try set(option, on: pointer) }
            for prefix in subscriptions { try change(ZMQ_SUBSCRIBE, prefix, on: pointer) }
        } catch {
            zmq_close(pointer)
            throw error
        }
        return pointer
    }

    deinit { zmq_close(pointer) }

    package func bind(to endpoint: String) throws(BusError) {
        guard zmq_bind(pointer, endpoint) == 0 else {
            throw .socket("cannot listen on \(endpoint): \(lastProblem())")
        }
    }

    package func connect(to endpoint: String) throws(BusError) {
        guard zmq_connect(pointer, endpoint) == 0 else {
            throw .socket("cannot dial \(endpoint): \(lastProblem())")
        }
    }

    package func subscribe(to prefix: String) throws(BusError) {
        try Self.change(ZMQ_SUBSCRIBE, prefix, on: pointer)
    }

    package func unsubscribe(from prefix: String) throws(BusError) {
        try Self.change(ZMQ_UNSUBSCRIBE, prefix, on: pointer)
    }

    private static func change(_ code: Int32, _ prefix: String, on pointer: UnsafeMutableRawPointer) throws(BusError) {
        guard zmq_setsockopt(pointer, code, prefix, prefix.utf8.count) == 0 else {
            throw .socket("cannot change the subscription '\(prefix)': \(lastProblem())")
        }
    }

    private static func set(_ option: SocketOption, on pointer: UnsafeMutableRawPointer) throws(BusError) {
        let result =
            switch option.value {
            case .int(var value): zmq_setsockopt(pointer, option.code, &value, MemoryLayout<Int32>.size)
            case .long(var value): zmq_setsockopt(pointer, option.code, &value, MemoryLayout<Int64>.size)
            case .text(let value): zmq_setsockopt(pointer, option.code, value, value.utf8.count)
            }
        guard result == 0 else { throw .socket("cannot set option \(option.code): \(lastProblem())") }
    }

    /// Never blocks. When the first frame went the others go too: the high-water mark counts whole messages.
    package func send(_ frames: [Data]) -> Sent {
        for (index, frame) in frames.enumerated() {
            let more = index < frames.count - 1 ? ZMQ_SNDMORE : 0
            let result = frame.withUnsafeBytes { zmq_send(pointer, $0.baseAddress, $0.count, ZMQ_DONTWAIT | more) }
            guard result < 0 else { continue }
            let code = zmq_errno()
            if code == EAGAIN { return .full }
            return code == EHOSTUNREACH ? .unroutable : .failed(lastProblem())
        }
        return .sent
    }

    /// One whole message; `nil` when none is waiting. Frames beyond `limit` are read and thrown away; then `true` is
    /// the second value.
    package func receive(limit: Int = BusLimits.requestFrames + 1) -> (frames: [Data], cut: Bool)? {
        receiveFromPeer(limit: limit).map { ($0.frames, $0.cut) }
    }

    /// As ``receive(limit:)``, with the key of the peer. On a ROUTER libzmq 4.3.4 knows it of body frames only.
    package func receiveFromPeer(
        limit: Int = BusLimits.requestFrames + 1
    ) -> (frames: [Data], cut: Bool, key: PeerKey?)? {
        var frames: [Data] = []
        var cut = false
        var key: PeerKey?
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        repeat {
            guard zmq_msg_recv(&message, pointer, ZMQ_DONTWAIT) >= 0 else { return nil }
            if frames.count < limit {
                frames.append(Data(bytes: zmq_msg_data(&message), count: zmq_msg_size(&message)))
            } else {
                cut = true
            }
            if key == nil { key = PeerKey(userOf: &message) }
        } while zmq_msg_more(&message) != 0
        return (frames, cut, key)
    }

    /// One frame, whatever it belongs to: what comes up an XPUB is no message of several frames.
    package func receiveFrame() -> (frame: Data, hasMore: Bool, key: PeerKey?)? {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        guard zmq_msg_recv(&message, pointer, ZMQ_DONTWAIT) >= 0 else { return nil }
        let frame = Data(bytes: zmq_msg_data(&message), count: zmq_msg_size(&message))
        return (frame, zmq_msg_more(&message) != 0, PeerKey(userOf: &message))
    }

    /// Lets this context's owner hear when the connection comes and goes, through a PAIR at `endpoint`.
    package func monitor(at endpoint: String) throws(BusError) {
        let events =
            ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
        guard zmq_socket_monitor(pointer, endpoint, events) == 0 else {
            throw .socket("cannot watch the connection: \(lastProblem())")
        }
    }

    fileprivate func item(_ events: Int32) -> zmq_pollitem_t {
        zmq_pollitem_t(socket: pointer, fd: 0, events: Int16(events), revents: 0)
    }

    fileprivate var raw: UnsafeMutableRawPointer { pointer }
}

/// What a monitor says.
package enum ConnectionChange: Sendable {
    case connected, disconnected
    /// There is a bus, but it does not let us in.
    case refused

    package init?(monitorFrames frames: [Data]) {
        guard let first = frames.first, first.count >= 2 else { return nil }
        let code = Int32(first[first.startIndex]) | Int32(first[first.startIndex + 1]) << 8
        switch code {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: self = .connected
        case ZMQ_EVENT_DISCONNECTED: self = .disconnected
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
            ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            self = .refused
        default: return nil
        }
    }
}

/// Up to three frames taken from one socket and handed to another without copying them.
package struct MessageParts: ~Copyable {
    package static let capacity = 3
    private let parts: UnsafeMutablePointer<zmq_msg_t>
    private let spill: UnsafeMutablePointer<zmq_msg_t>
    package private(set) var count = 0

    package init() {
        parts = .allocate(capacity: Self.capacity)
        for index in 0..<Self.capacity { zmq_msg_init(parts + index) }
        spill = .allocate(capacity: 1)
        zmq_msg_init(spill)
    }

    deinit {
        for index in 0..<Self.capacity { zmq_msg_close(parts + index) }
        zmq_msg_close(spill)
        parts.deallocate()
        spill.deallocate()
    }

    /// `false` when nothing is waiting. `count` is the message's frames, also those above `capacity`, which are lost.
    package mutating func receive(from socket: borrowing Socket) -> Bool {
        count = 0
        var more = true
        while more {
            let part = count < Self.capacity ? parts + count : spill
            guard zmq_msg_recv(part, socket.raw, ZMQ_DONTWAIT) >= 0 else { return false }
            more = zmq_msg_more(part) != 0
            count += 1
        }
        return true
    }

    /// Valid until the next `receive` or `send`.
    package func bytes(_ index: Int) -> UnsafeRawBufferPointer {
        precondition(index < min(count, Self.capacity))
        return UnsafeRawBufferPointer(start: zmq_msg_data(parts + index), count: zmq_msg_size(parts + index))
    }

    package func copy(_ index: Int) -> Data { Data(bytes(index)) }

    /// Whose message it is; `nil` where the bus has no keys.
    package var key: PeerKey? { PeerKey(userOf: parts) }

    /// Sends the frames on; they are gone afterwards. Never blocks.
    package mutating func send(to socket: borrowing Socket) -> Bool {
        let last = min(count, Self.capacity) - 1
        for index in 0...last {
            let flags = ZMQ_DONTWAIT | (index < last ? ZMQ_SNDMORE : 0)
            guard zmq_msg_send(parts + index, socket.raw, flags) >= 0 else { return false }
        }
        return true
    }
}

extension PeerKey {
    /// The User-Id that the ZAP handler gave to the message's connection: its key.
    fileprivate init?(userOf message: UnsafeMutablePointer<zmq_msg_t>) {
        guard let text = zmq_msg_gets(message, "User-Id"), strnlen(text, Self.length + 1) == Self.length else {
            return nil
        }
        self.init(trusted: UnsafeRawBufferPointer(start: text, count: Self.length))
    }
}

/// What one thread waits for.
package struct PollSet {
    private var items: [zmq_pollitem_t] = []

    package init() {}

    package mutating func clear() { items.removeAll(keepingCapacity: true) }

    package mutating func add(_ socket: borrowing Socket, output: Bool = false) {
        items.append(socket.item(output ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN))
    }

    package mutating func add(_ wakeup: Wakeup) {
        items.append(zmq_pollitem_t(socket: nil, fd: wakeup.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    /// Sleeps until something is ready or the time is over; `nil` waits for ever.
    package mutating func wait(_ timeout: Duration?) {
        let milliseconds = timeout.map { Int($0.wholeMilliseconds) + 1 } ?? -1
        // Whatever it answers, also when a signal interrupts it: the caller looks around and waits again.
        _ = zmq_poll(&items, Int32(items.count), milliseconds)
    }
}

func lastProblem() -> String { String(cString: zmq_strerror(zmq_errno())) }
