import Bus
import EventLog
import Messages

/// One method of the bus's requests: what the AsyncAPI document says of it.
struct RequestReference {
    var method: String
    /// Who answers it; `{source}` for every log's owner.
    var target: String
    var summary: String
    var params: any Decodable.Type
    var reply: any Decodable.Type
    /// Beside 200.
    var statuses: [Int: String]
    /// What follows the params, and what follows the reply's.
    var requestBody: String?
    var replyBody: String?

    /// What the bus itself, or a service in trouble, may answer to anything.
    static let always = [
        400: "the params are not what this method takes", 401: "the key is not known to the bus",
        403: "the key may not ask this", 404: "nobody answers this method here", 413: "too large",
        429: "too many requests are open", 503: "the target is not there, or cannot write now: ask again",
        504: "no answer within the deadline: ask again",
    ]

    static var all: [RequestReference] {
        [
            RequestReference(
                method: "hello", target: "bus",
                summary: "A target is here; with its log's head when it publishes one. Every 10 s.",
                params: HelloParams.self, reply: HelloReply.self,
                statuses: [409: "the bus has heard newer events of this log; nothing may be published"]),
            RequestReference(
                method: "fetch", target: "{source}", summary: "Events of a log after a place.",
                params: FetchRequest.self, reply: FetchReply.self,
                statuses: [
                    404: "the log never had this epoch", 409: "the log ends, or went on, before this place",
                    410: "the events after this place are no longer kept: ask for a snapshot",
                ], replyBody: "three frames an event, as on the feed"),
            RequestReference(
                method: "snapshot", target: "{source}",
                summary: "What the events up to the oldest one kept came to, as events; a part at a time.",
                params: SnapshotRequest.self, reply: FetchReply.self,
                statuses: [409: "more events were deleted meanwhile: begin the snapshot again"],
                replyBody: "three frames an event, as on the feed; each keeps its number, those up to `base`"),
            RequestReference(
                method: "publish", target: "ingest",
                summary: "Stores an outsider's CloudEvent; answered when it is on disk. Twice the same is once.",
                params: PublishParams.self, reply: LogPosition.self,
                statuses: [409: "this id was published before with other content"],
                requestBody: "the CloudEvent in its JSON format, at most 48 KiB"),
            RequestReference(
                method: "session.open", target: Source.triggerService.name,
                summary: "A worker is here. It ends the session that the same name had before.",
                params: SessionOpenParams.self, reply: SessionOpened.self, statuses: [:]),
            RequestReference(
                method: "session.keepalive", target: Source.triggerService.name,
                summary: "Holds the session and all its steps; every third of the ttl.",
                params: SessionParams.self, reply: SessionKept.self,
                statuses: [404: "the session is over; its steps are given to others"]),
            RequestReference(
                method: "claim", target: Source.triggerService.name,
                summary: "Steps to work, as soon as there are any; waits 20 s at most.",
                params: ClaimParams.self, reply: Claimed.self,
                statuses: [204: "no step within the deadline", 404: "the session is over"]),
            RequestReference(
                method: "checkpoint", target: Source.triggerService.name,
                summary: "Leaves word for whoever works the step next.",
                params: CheckpointParams.self, reply: Accepted.self,
                statuses: [409: "the step is somebody else's or over: stop working on it"]),
            RequestReference(
                method: "complete", target: Source.triggerService.name,
                summary: "What came of a step; counts only with the token of the newest grant. Twice the same is once.",
                params: CompleteParams.self, reply: Accepted.self,
                statuses: [409: "the step is somebody else's or over"]),
            RequestReference(
                method: "fail", target: Source.triggerService.name, summary: "The step failed, and why.",
                params: FailParams.self, reply: Accepted.self,
                statuses: [409: "the step is somebody else's or over"]),
        ]
    }
}

/// The params of `fetch`'s answer: the log's head, and whether there is more before it.
struct FetchReply: Decodable {
    init(from decoder: any Decoder) throws {
        _ = try LogHead(from: decoder)
        _ = try decoder.container(keyedBy: Key.self).decode(Bool.self, forKey: .more)
    }

    private enum Key: CodingKey { case more }
}
