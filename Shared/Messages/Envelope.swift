import Foundation

/// A CloudEvents 1.0 event in the JSON format, with Martlet's extension attributes (bus.md 4).
public struct Envelope: Sendable, Hashable, Codable {
    public var specversion = "1.0"
    /// Unique for each `source`; UUIDv7 for our services.
    public var id: String
    /// `/martlet/<service>`, or an outsider's own URI.
    public var source: String
    /// `dev.martlet.<subject>.<verb-in-the-past>.v<major>`.
    public var type: String
    /// The entity: `run/0192…`, `model/churn/17`.
    public var subject: String
    public var time: Timestamp
    public var datacontenttype: String?
    public var dataschema: String?
    /// Ordering and parking key: a run id or a model's name.
    public var partitionkey: String
    /// One for each external cause: a push, a person, a tick.
    public var correlationid: String
    /// The `id` of the event that made this one.
    public var causationid: String?
    /// Length of the causation chain; the trigger-service starts nothing above 32.
    public var causationdepth: Int
    public var traceparent: String?
    /// `user:…`, `pipeline:…` or `service:…`.
    public var actor: String
    /// The id of the event that this deliberately repeats.
    public var replayof: String?
    public var data: JSONValue
    /// Attributes that are not Martlet's: of an outsider's event, kept as they came. Texts, numbers and flags.
    public var extensions: [String: JSONValue] = [:]

    /// The attributes that are Martlet's own. The others are beside them: ``Wire`` reads and writes them.
    private enum CodingKeys: String, CodingKey {
        case specversion, id, source, type, subject, time, datacontenttype, dataschema, partitionkey, correlationid
        case causationid, causationdepth, traceparent, actor, replayof, data
    }

    public init(
        id: String, source: String, type: String, subject: String, time: Timestamp, partitionkey: String,
        causation: Causation, dataschema: String? = nil, replayof: String? = nil, data: JSONValue
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.datacontenttype = "application/json"
        self.dataschema = dataschema
        self.partitionkey = partitionkey
        self.correlationid = causation.correlation ?? id
        self.causationid = causation.event
        self.causationdepth = causation.depth
        self.traceparent = Trace.parent(after: causation.trace, correlation: correlationid, event: id)
        self.actor = causation.actor
        self.replayof = replayof
        self.data = data
    }

    /// What an event made because of this one carries on.
    public var consequence: Causation {
        Causation(correlation: correlationid, event: id, depth: causationdepth + 1, actor: actor, trace: traceparent)
    }

    /// The body as its Swift type; `nil` when this envelope is of another type.
    /// - Throws: `DecodingError` when the type is right and the body is not: such an event is dead at once (bus.md 5).
    public func body<Body: EventBody>(_ body: Body.Type) throws -> Body? {
        guard isOf(Body.self) else { return nil }
        return try Wire.decode(Body.self, from: try Wire.encode(data))
    }

    /// Whether it is an event of this type; compared piece by piece, since everybody asks this of everything.
    public func isOf<Body: EventBody>(_ body: Body.Type) -> Bool {
        let prefix = EventTypeName.prefix, name = Body.name, version = EventTypeName.version(Body.majorVersion)
        guard type.utf8.count == prefix.utf8.count + name.utf8.count + version.utf8.count else { return false }
        return type.hasPrefix(prefix) && type.hasSuffix(version) && type.dropFirst(prefix.count).hasPrefix(name)
    }
}

/// The parts of `dev.martlet.run.finished.v1` around the event's own name.
enum EventTypeName {
    static let prefix = "dev.martlet."

    // Short enough to need no memory of its own.
    static func version(_ major: Int) -> String { ".v\(major)" }
}

/// Why something happens: the chain that `martlet why` prints.
public struct Causation: Sendable, Hashable, Codable {
    /// `nil` only for the first event of a chain: its own id becomes the correlation.
    public var correlation: String?
    public var event: String?
    public var depth: Int
    public var actor: String
    public var trace: String?

    public init(correlation: String?, event: String?, depth: Int, actor: String, trace: String? = nil) {
        self.correlation = correlation
        self.event = event
        self.depth = depth
        self.actor = actor
        self.trace = trace
    }

    /// A new chain, begun by a person, a remote or a tick.
    public static func first(actor: String) -> Causation {
        Causation(correlation: nil, event: nil, depth: 0, actor: actor)
    }

    /// The same chain in another's name: a pipeline acting for the person who pushed.
    public func acting(as actor: String) -> Causation {
        var copy = self
        copy.actor = actor
        return copy
    }
}
