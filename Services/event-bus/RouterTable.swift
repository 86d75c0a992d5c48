import Bus
import Foundation
import Messages

/// Who answers for which target, and whose answers are still to come (bus.md 6).
///
/// Pure: identities are the ROUTER's, times are durations since any fixed moment.
struct RouterTable {
    struct Output: Equatable {
        var to: Data
        var frames: [Data]
        /// Set on what goes to a target: the entry to give up when it cannot be delivered.
        var correlation: Data?
    }

    private struct Entry {
        var client: Data
        var correlation: Data
        var method: String
        var target: String
        var identity: Data
        var deadline: Duration
    }

    /// Answers to come, in all and for one target; beyond them 429.
    static let entries = 4096
    static let entriesOfTarget = 1024
    static let targetLimit = 1024

    private struct Registration {
        var identity: Data
        /// Until when it is known to publish its log: that long, a replica that only answers does not take its place.
        var leadsUntil: Duration?
    }

    /// Longer than two of a publisher's hellos are apart.
    static let leadership = Duration.seconds(25)

    private var targets: [String: Registration] = [:]
    private var open: [Data: Entry] = [:]
    private var openOf: [Data: Int] = [:]
    private var counter: UInt64 = 0
    private let life: UInt64

    /// - Parameter life: differs in each life of the bus, so that answers to an earlier one match nothing.
    init(life: UInt64) { self.life = life }

    var openCount: Int { open.count }
    var knownTargets: [String] { targets.keys.sorted() }

    mutating func request(
        _ request: RequestFrames, from client: Data, heads: RememberedHeads, now: Duration
    ) -> [Output] {
        guard var params = (try? Wire.decode(JSONValue.self, from: request.params))?.object else {
            return [refusal(400, "the params are not a JSON object", request, client)]
        }
        if request.target == "bus" { return hello(params, request, client, heads, now) }
        guard let identity = targets[request.target]?.identity else {
            return [refusal(503, "'\(request.target)' is not connected to the bus", request, client)]
        }
        guard open.count < Self.entries, openOf[identity, default: 0] < Self.entriesOfTarget else {
            return [refusal(429, "too many requests to '\(request.target)' are open", request, client)]
        }
        // Whoever can reach the sockets of a local bus is the local user; keys will tell more.
        params["user"] = "local"
        var onward = request
        onward.correlation = nextCorrelation()
        onward.params = (try? Wire.encode(params)) ?? request.params
        open[onward.correlation] = Entry(
            client: client, correlation: request.correlation, method: request.method, target: request.target,
            identity: identity, deadline: now + request.deadline)
        openOf[identity, default: 0] += 1
        return [Output(to: identity, frames: onward.frames, correlation: onward.correlation)]
    }

    /// `nil`: nobody waits for it.
    mutating func reply(_ reply: ReplyFrames, from identity: Data) -> Output? {
        guard open[reply.correlation]?.identity == identity, let entry = close(reply.correlation) else { return nil }
        var onward = reply
        onward.correlation = entry.correlation
        return Output(to: entry.client, frames: onward.frames)
    }

    /// The target is gone, or takes no more.
    mutating func undelivered(_ correlation: Data, isGone: Bool) -> [Output] {
        guard let entry = close(correlation) else { return [] }
        guard isGone else { return [refusal(429, "'\(entry.target)' takes no more requests", entry)] }
        let refused = refusal(503, "'\(entry.target)' is not connected to the bus any more", entry)
        return [refused] + forget(entry.identity)
    }

    mutating func expire(now: Duration) -> [Output] {
        open.filter { $0.value.deadline <= now }.keys.compactMap { correlation in
            close(correlation).map { refusal(504, "'\($0.target)' did not answer '\($0.method)' in time", $0) }
        }
    }

    var nextDeadline: Duration? { open.values.lazy.map(\.deadline).min() }
}

extension RouterTable {
    /// Registers a target. A log that is older than what was heard of it is refused: it was restored, or runs twice.
    private mutating func hello(
        _ params: [String: JSONValue], _ request: RequestFrames, _ client: Data, _ heads: RememberedHeads,
        _ now: Duration
    ) -> [Output] {
        guard request.method == "hello" else {
            return [refusal(404, "'bus' has no such method '\(request.method)'", request, client)]
        }
        guard let source = params["source"]?.string.flatMap({ Source(checking: $0) }), source.name != "bus" else {
            return [refusal(400, "hello needs a source of [a-z0-9.-]{1,63}", request, client)]
        }
        var leadsUntil: Duration?
        if let epoch = params["epoch"]?.int, let last = params["last"]?.int {
            let said = RememberedHeads.Head(epoch: Int64(epoch), last: Int64(last))
            if let known = heads.head(of: source.name), said < known {
                let params: JSONValue = [
                    "error": .string("the bus has heard newer events of '\(source)'"),
                    "epoch": .int(Int(known.epoch)), "last": .int(Int(known.last)),
                ]
                return [answer(409, params, request.correlation, client)]
            }
            heads.observe(source.name, said)
            leadsUntil = now + Self.leadership
        }
        guard targets[source.name] != nil || targets.count < Self.targetLimit else {
            return [refusal(429, "too many targets are registered", request, client)]
        }
        let welcome = answer(200, ["user": "local"], request.correlation, client)
        let former = targets[source.name]
        if leadsUntil == nil, let former, let until = former.leadsUntil, until > now { return [welcome] }
        var outputs = [welcome]
        // The same service, started again: what its former life was asked will not be answered.
        if let former, former.identity != client { outputs += forget(former.identity, only: source.name) }
        targets[source.name] = Registration(identity: client, leadsUntil: leadsUntil)
        return outputs
    }

    /// Gives up what an identity was asked, and no longer sends it anything.
    private mutating func forget(_ identity: Data, only target: String? = nil) -> [Output] {
        for (name, owner) in targets where owner.identity == identity && (target == nil || target == name) {
            targets[name] = nil
        }
        let lost = open.filter { $0.value.identity == identity && (target == nil || $0.value.target == target) }
        return lost.keys.sorted { $0.lexicographicallyPrecedes($1) }.compactMap { correlation in
            close(correlation).map { refusal(503, "'\($0.target)' was started again", $0) }
        }
    }

    private mutating func close(_ correlation: Data) -> Entry? {
        guard let entry = open.removeValue(forKey: correlation) else { return nil }
        let left = openOf[entry.identity, default: 1] - 1
        openOf[entry.identity] = left > 0 ? left : nil
        return entry
    }

    private mutating func nextCorrelation() -> Data {
        counter += 1
        return withUnsafeBytes(of: (life.bigEndian, counter.bigEndian)) { Data($0) }
    }

    private func refusal(_ status: Int, _ error: String, _ entry: Entry) -> Output {
        answer(status, ["error": .string(error)], entry.correlation, entry.client)
    }

    private func refusal(_ status: Int, _ error: String, _ request: RequestFrames, _ client: Data) -> Output {
        answer(status, ["error": .string(error)], request.correlation, client)
    }

    private func answer(_ status: Int, _ params: JSONValue, _ correlation: Data, _ client: Data) -> Output {
        let encoded = (try? Wire.encode(params)) ?? Data("{}".utf8)
        return Output(
            to: client, frames: ReplyFrames(correlation: correlation, status: status, params: encoded).frames)
    }
}
