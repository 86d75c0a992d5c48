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
