import CZMQ

/// A socket option; the sets below are the table of bus.md 2.
package struct SocketOption: Sendable {
    enum Value: Sendable {
        case int(Int32)
        case long(Int64)
        case text(String)
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

    private init(_ code: Int32, text value: String) {
        self.code = code
        self.value = .text(value)
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
    /// A prefix, or a step of the handshake.
    private static let subscriptionFrame: Int64 = 4_096

    /// A missing unix socket costs nothing to try again; over tcp the pause grows further.
    private static func reconnect(_ address: BusAddress) -> Int32 { address.directory == nil ? 5000 : 500 }

    /// NODROP and DONTWAIT together: the publisher knows when it is muted.
    static func pub(_ address: BusAddress) -> [SocketOption] {
        common(maxFrame: liveFrame, linger: 1000, slowestReconnect: reconnect(address))
            + [SocketOption(ZMQ_SNDHWM, 1000), SocketOption(ZMQ_XPUB_NODROP, 1)]
    }

    /// A socket of its own: when it is full, that of the events is not.
    static func telemetryPub(_ address: BusAddress) -> [SocketOption] {
        common(maxFrame: liveFrame, linger: 0, slowestReconnect: reconnect(address))
            + [SocketOption(ZMQ_SNDHWM, Int32(BusLimits.telemetryMessages)), SocketOption(ZMQ_XPUB_NODROP, 1)]
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

    /// Messages that wait for one subscriber; what is more is lost to it, and fetched. At the largest event this is some
    /// 90 MB, which keeps the bus within its memory while a subscriber is stuck.
    private static let feedBacklog: Int32 = 1500

    /// Lossy above the backlog for each subscriber; VERBOSE tells of every new subscription, so that a newcomer is greeted.
    package static let xpub =
        common(maxFrame: liveFrame, linger: 0, slowestReconnect: 5000)
        + [SocketOption(ZMQ_SNDHWM, feedBacklog), SocketOption(ZMQ_XPUB_VERBOSE, 1)]

    package static let router =
        common(maxFrame: requestFrame, linger: 0, slowestReconnect: 5000)
        + [SocketOption(ZMQ_ROUTER_MANDATORY, 1)]

    /// Read once from each peer before others have their turn, so that one cannot fill the memory with waiting requests.
    package static let keyedRouter = router + [SocketOption(ZMQ_RCVHWM, 64)]

    /// Subscriptions are told, but take effect only when the bus says so: by ``Socket/subscribe(to:)``, for the peer whose
    /// message was received last.
    package static let keyedXpub =
        common(maxFrame: subscriptionFrame, linger: 0, slowestReconnect: 5000)
        + [SocketOption(ZMQ_SNDHWM, feedBacklog), SocketOption(ZMQ_XPUB_MANUAL, 1)]

    /// 93 is `ZMQ_ZAP_ENFORCE_DOMAIN`, which zmq.h shows only with the draft API. Without it libzmq lets everybody in
    /// while no ZAP handler is there.
    private static let enforceDomain: Int32 = 93

    /// - Parameter domain: which of the bus's doors the ZAP handler is asked about.
    package static func server(_ pair: KeyPair, domain: String) -> [SocketOption] {
        [
            SocketOption(ZMQ_CURVE_SERVER, 1), SocketOption(ZMQ_CURVE_SECRETKEY, text: pair.secret),
            SocketOption(ZMQ_ZAP_DOMAIN, text: domain), SocketOption(enforceDomain, 1),
        ]
    }

    package static func client(_ credentials: BusCredentials?) -> [SocketOption] {
        guard let credentials else { return [] }
        return [
            SocketOption(ZMQ_CURVE_SERVERKEY, text: credentials.bus.text),
            SocketOption(ZMQ_CURVE_PUBLICKEY, text: credentials.own.publicKey.text),
            SocketOption(ZMQ_CURVE_SECRETKEY, text: credentials.own.secret),
        ]
    }

    /// A name that a peer gives its connection itself; the bus does not talk to such peers.
    package static func routingID(_ name: String) -> SocketOption { SocketOption(ZMQ_ROUTING_ID, text: name) }

    /// One request at a time, and always an answer.
    package static let rep = [SocketOption(ZMQ_LINGER, 0)]

    static let pair = [SocketOption(ZMQ_LINGER, 0)]
}
