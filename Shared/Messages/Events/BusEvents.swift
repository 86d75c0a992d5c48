import Foundation

/// A log contradicts what was read of it before: it was restored or runs twice.
public struct ForkDetected: EventBody {
    public static let name = "bus.fork_detected"
    public static let source: Source? = nil
    public static let summary = "A log contradicts what was read of it before: it was restored or runs twice."

    /// Who noticed.
    public var service: String
    /// The log.
    public var source: String
    public var epoch: Int64
    public var seq: Int64
    public var expected: String
    public var found: String

    public init(service: String, source: String, epoch: Int64, seq: Int64, expected: String, found: String) {
        self.service = service
        self.source = source
        self.epoch = epoch
        self.seq = seq
        self.expected = expected
        self.found = found
    }
}

/// A log has sent no heartbeat for 15 seconds.
public struct SourceSilent: EventBody {
    public static let name = "bus.source_silent"
    public static let source: Source? = nil
    public static let summary = "A log has sent no heartbeat for 15 seconds."

    /// Who noticed.
    public var service: String
    public var source: String
    public var seconds: Double

    public init(service: String, source: String, seconds: Double) {
        self.service = service
        self.source = source
        self.seconds = seconds
    }
}

/// The bus dropped what a client sent, or refused what it asked; at most one a minute for each client.
public struct ClientDenied: EventBody {
    public static let name = "bus.client_denied"
    public static let source: Source? = .ingest
    public static let summary =
        "The bus dropped what a client sent, or refused what it asked; at most one a minute for each client."

    public struct Reason: Codable, Sendable, Hashable {
        public var reason: String
        public var count: Int

        public init(reason: String, count: Int) {
            self.reason = reason
            self.count = count
        }
    }

    /// `unknown` for keys that no line authorizes, `local` for the user of a bus without keys.
    public var client: String
    /// The public key of the newest of them.
    public var key: String?
    public var reasons: [Reason]
    /// Over how long they were counted.
    public var seconds: Double
    /// The topic, method or address of the newest of them.
    public var example: String?

    public init(client: String, key: String? = nil, reasons: [Reason], seconds: Double, example: String? = nil) {
        self.client = client
        self.key = key
        self.reasons = reasons
        self.seconds = seconds
        self.example = example
    }
}
