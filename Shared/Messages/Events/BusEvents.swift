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

/// A service goes on with a log that contradicted what it had read of it.
public struct ForkReleased: EventBody {
    public static let name = "bus.fork_released"
    public static let source: Source? = nil
    public static let summary = "A service goes on with a log that contradicted what it had read of it."

    /// Who goes on.
    public var service: String
    /// The log.
    public var source: String
    /// The last place applied before.
    public var fromEpoch: Int64?
    public var fromSeq: Int64?
    /// What is applied next comes after this place; absent: the log is read from its beginning.
    public var toEpoch: Int64?
    public var toSeq: Int64?
    /// Events applied before that the log no longer has, where their number is known.
    public var forgotten: Int64?
    /// What that means, for people.
    public var note: String
    /// Who released it: a person, or the service itself where it takes the log's word.
    public var by: String

    public init(
        service: String, source: String, fromEpoch: Int64? = nil, fromSeq: Int64? = nil, toEpoch: Int64? = nil,
        toSeq: Int64? = nil, forgotten: Int64? = nil, note: String, by: String
    ) {
        self.service = service
        self.source = source
        self.fromEpoch = fromEpoch
        self.fromSeq = fromSeq
        self.toEpoch = toEpoch
        self.toSeq = toSeq
        self.forgotten = forgotten
        self.note = note
        self.by = by
    }
}

/// A log goes on under a new epoch.
public struct EpochBegun: EventBody {
    public static let name = "bus.epoch_begun"
    public static let source: Source? = nil
    public static let summary = "A log goes on under a new epoch: its database was restored, or is a copy."

    /// The log's owner.
    public var service: String
    /// The log.
    public var source: String
    public var epoch: Int64
    public var reason: String

    public init(service: String, source: String, epoch: Int64, reason: String) {
        self.service = service
        self.source = source
        self.epoch = epoch
        self.reason = reason
    }
}

/// A service was away for longer than a log is kept.
public struct SnapshotTaken: EventBody {
    public static let name = "bus.snapshot_taken"
    public static let source: Source? = nil
    public static let summary =
        "A service was away for longer than a log is kept: it took the log's state instead of every event."

    /// Who was away.
    public var service: String
    /// The log.
    public var source: String
    /// The last place applied before; absent: none.
    public var fromEpoch: Int64?
    public var fromSeq: Int64?
    /// The place that the state is of.
    public var toEpoch: Int64
    public var toSeq: Int64

    public init(
        service: String, source: String, fromEpoch: Int64? = nil, fromSeq: Int64? = nil, toEpoch: Int64, toSeq: Int64
    ) {
        self.service = service
        self.source = source
        self.fromEpoch = fromEpoch
        self.fromSeq = fromSeq
        self.toEpoch = toEpoch
        self.toSeq = toSeq
    }
}

/// What became of something an operator asked of a service's logs or dead letters.
public struct LogCommandAnswered: EventBody {
    public static let name = "bus.command_answered"
    public static let source: Source? = nil
    public static let summary = "What became of something an operator asked of a service's logs or dead letters."

    /// The id of the command's event.
    public var command: String
    public var service: String
    public var accepted: Bool
    public var reason: String?

    public init(command: String, service: String, accepted: Bool, reason: String? = nil) {
        self.command = command
        self.service = service
        self.accepted = accepted
        self.reason = reason
    }
}
