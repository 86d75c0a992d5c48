import Foundation

// The params and replies of the bus's requests (docs/protocol.md). Whatever can be refused is refused with a `Problem`.

/// Why something was refused, for people.
public struct Problem: Codable, Sendable, Hashable {
    public var error: String

    public init(error: String) { self.error = error }
}

/// `hello`: a target is here; with its log's head when it publishes one.
public struct HelloParams: Codable, Sendable, Hashable {
    public var source: String
    public var epoch: Int64?
    public var first: Int64?
    public var last: Int64?
    public var chain: String?

    public init(source: String, epoch: Int64? = nil, first: Int64? = nil, last: Int64? = nil, chain: String? = nil) {
        self.source = source
        self.epoch = epoch
        self.first = first
        self.last = last
        self.chain = chain
    }
}

public struct HelloReply: Codable, Sendable, Hashable {
    /// As whom the bus knows the asker.
    public var user: String

    public init(user: String) { self.user = user }
}

/// `publish`: the event is the first body frame, or `event` here.
public struct PublishParams: Codable, Sendable, Hashable {
    public var event: JSONValue?

    public init(event: JSONValue? = nil) { self.event = event }
}

/// `session.open`: a worker is here and answers these verbs.
public struct SessionOpenParams: Codable, Sendable, Hashable {
    /// The same after a restart: what its former life held comes back to it at once.
    public var worker: String
    /// `train/*` covers `train/run`.
    public var verbs: [String]
    public var labels: JSONValue?
    /// Steps at once; 1.
    public var slots: Int?

    public init(worker: String, verbs: [String], labels: JSONValue? = nil, slots: Int? = nil) {
        self.worker = worker
        self.verbs = verbs
        self.labels = labels
        self.slots = slots
    }
}

public struct SessionOpened: Codable, Sendable, Hashable {
    public var session: String
    /// Seconds without a keepalive after which the session ends.
    public var ttl: Int

    public init(session: String, ttl: Int) {
        self.session = session
        self.ttl = ttl
    }
}

/// `session.keepalive`.
public struct SessionParams: Codable, Sendable, Hashable {
    public var session: String

    public init(session: String) { self.session = session }
}

public struct SessionKept: Codable, Sendable, Hashable {
    public var ttl: Int
    /// Items of this session that are to be stopped.
    public var canceled: [String]

    public init(ttl: Int, canceled: [String]) {
        self.ttl = ttl
        self.canceled = canceled
    }
}

/// `claim`: answered as soon as there is a step, or with 204 at the deadline.
public struct ClaimParams: Codable, Sendable, Hashable {
    public var session: String
    /// 1 to 256; 1.
    public var max: Int?

    public init(session: String, max: Int? = nil) {
        self.session = session
        self.max = max
    }
}

public struct Claimed: Codable, Sendable, Hashable {
    public var items: [StepWork]

    public init(items: [StepWork]) { self.items = items }
}

/// `checkpoint`: left for whoever works this step next.
public struct CheckpointParams: Codable, Sendable, Hashable {
    public var item: String
    public var token: Int64
    public var state: JSONValue

    public init(item: String, token: Int64, state: JSONValue) {
        self.item = item
        self.token = token
        self.state = state
    }
}

/// `complete`: what came of a step.
public struct CompleteParams: Codable, Sendable, Hashable {
    public var item: String
    public var token: Int64
    public var result: StepResult
    /// How far the worker's own log has come: the next step's worker waits until it has read so far.
    public var head: [LogPosition]?

    public init(item: String, token: Int64, result: StepResult, head: [LogPosition]? = nil) {
        self.item = item
        self.token = token
        self.result = result
        self.head = head
    }
}

/// `fail`: short for a `complete` whose outcome is `failed`.
public struct FailParams: Codable, Sendable, Hashable {
    public var item: String
    public var token: Int64
    public var message: String?
    public var outputs: JSONValue?
    public var head: [LogPosition]?

    public init(
        item: String, token: Int64, message: String? = nil, outputs: JSONValue? = nil, head: [LogPosition]? = nil
    ) {
        self.item = item
        self.token = token
        self.message = message
        self.outputs = outputs
        self.head = head
    }
}

/// An answer that says no more than its status.
public struct Accepted: Codable, Sendable, Hashable {
    public init() {}
}
