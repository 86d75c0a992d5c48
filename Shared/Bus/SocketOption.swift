import CZMQ

/// A socket option; the sets below are the table of bus.md 2.
package struct SocketOption: Sendable {
    enum Value: Sendable {
        case int(Int32)
        case long(Int64)
    }

    let code: Int32
    let value: Value

    private init(_ code: Int32, _ value: Int32) {
        self.code = code
        self.value = .int(value)
    }

    private init(_ code: Int32, long value: Int64) {
        self.code = code
        self.value = .long(value)
    }

    /// A dead peer is seen within 25 s, a half-open handshake within 5 s.
    private static func common(maxFrame: Int64, linger: Int32, slowestReconnect: Int32) -> [SocketOption] {
        [
            SocketOption(ZMQ_TCP_KEEPALIVE, 1), SocketOption(ZMQ_TCP_KEEPALIVE_IDLE, 10),
            SocketOption(ZMQ_TCP_KEEPALIVE_INTVL, 5), SocketOption(ZMQ_TCP_KEEPALIVE_CNT, 3),
            SocketOption(ZMQ_HANDSHAKE_IVL, 5000), SocketOption(ZMQ_MAXMSGSIZE, long: maxFrame),
            SocketOption(ZMQ_RECONNECT_IVL, 100), SocketOption(ZMQ_RECONNECT_IVL_MAX, slowestReconnect),
            SocketOption(ZMQ_LINGER, linger), SocketOption(ZMQ_IPV6, 1),
        ]
    }

    private static let liveFrame: Int64 = 131_072
    private static let requestFrame: Int64 = 1_048_576

    /// A missing unix socket costs nothing to try again; over tcp the pause grows further.
    private static func reconnect(_ address: BusAddress) -> Int32 { address.directory == nil ? 5000 : 500 }

    /// NODROP and DONTWAIT together: the publisher knows when it is muted.
    static func pub(_ address: BusAddress) -> [SocketOption] {
        common(maxFrame: liveFrame, linger: 1000, slowestReconnect: reconnect(address))
            + [SocketOption(ZMQ_SNDHWM, 1000), SocketOption(ZMQ_XPUB_NODROP, 1)]
    }

    /// Subscriptions obey the SUB's own SNDHWM: unlimited.
    static func sub(_ address: BusAddress) -> [SocketOption] {
        common(maxFrame: liveFrame, linger: 0, slowestReconnect: reconnect(address))
            + [SocketOption(ZMQ_RCVHWM, 2000), SocketOption(ZMQ_SNDHWM, 0)]
    }

    /// IMMEDIATE: nothing is queued for a bus that is not there, so no request is delivered after its deadline.
    static func dealer(_ address: BusAddress) -> [SocketOption] {
        common(maxFrame: requestFrame, linger: 1000, slowestReconnect: reconnect(address))
            + [SocketOption(ZMQ_IMMEDIATE, 1)]
    }

    package static let xsub =
        common(maxFrame: liveFrame, linger: 0, slowestReconnect: 5000)
        + [SocketOption(ZMQ_RCVHWM, 2000)]

    /// Lossy at 2,000 for each subscriber; VERBOSE tells of every new subscription, so that a newcomer is greeted.
    package static let xpub =
        common(maxFrame: liveFrame, linger: 0, slowestReconnect: 5000)
        + [SocketOption(ZMQ_SNDHWM, 2000), SocketOption(ZMQ_XPUB_VERBOSE, 1)]

    package static let router =
        common(maxFrame: requestFrame, linger: 0, slowestReconnect: 5000)
        + [SocketOption(ZMQ_ROUTER_MANDATORY, 1)]

    static let pair = [SocketOption(ZMQ_LINGER, 0)]
}
