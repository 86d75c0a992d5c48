import Bus
import Foundation
import Messages

/// Who answers for which target, and whose answers are still to come (bus.md 6); who may ask what (bus.md 8).
///
/// Pure: identities are the ROUTER's, times are durations since any fixed moment.
struct RouterTable {
    /// One connection, and whose it is.
    struct Peer: Hashable {
        var identity: Data
        /// `nil` on a local bus.
        var key: PeerKey?
        /// Whether it is the bus itself that asks; no connection has its identity.
        var isBus: Bool { identity.isEmpty }

        static let bus = Peer(identity: Data(), key: nil)
    }

    struct Output: Equatable {
        var to: Data
        var frames: [Data]
        /// Set on what goes to a target: the entry to give up when it cannot be delivered.
        var correlation: Data?
        /// Set on a refusal that is to be counted and told.
        var denial: Denial?
    }

    private struct Entry {
        var client: Peer
        var user: String
        var correlation: Data
        var method: String
        var target: String
        var verbs: [String]
        var identity: Peer
        var deadline: Duration
    }

    /// Answers to come, in all and for one target; beyond them 429.
    static let entries = 4096
    static let entriesOfTarget = 1024
    static let targetLimit = 1024
    /// Of one client; each of its processes has at most ``BusLimits/requestsInFlight`` out by itself.
    static let entriesOfClient = 256

    private struct Registration {
        var identity: Peer
        /// Until when it is known to publish its log: that long, a replica that only answers does not take its place.
        var leadsUntil: Duration?
    }

    /// Longer than two of a publisher's hellos are apart.
    static let leadership = Duration.seconds(25)

    private var targets: [String: Registration] = [:]
    private var open: [Data: Entry] = [:]
    private var openOf: [Peer: Int] = [:]
    private var openBy: [String: Int] = [:]
    private var counter: UInt64 = 0
    private let life: UInt64
    private(set) var authority: Authority
    private var limits = RateLimits()

    /// - Parameter life: differs in each life of the bus, so that answers to an earlier one match nothing.
    init(life: UInt64, authority: Authority = .local) {
        self.life = life
        self.authority = authority
    }

    var openCount: Int { open.count }
    var knownTargets: [String] { targets.keys.sorted() }

    mutating func request(
        _ request: RequestFrames, from client: Peer, heads: RememberedHeads, now: Duration
    ) -> [Output] {
        let user: Authority.Client
        var params: [String: JSONValue]
        let verbs: [String]
        do throws(Refused) {
            // First: what nobody may ask is not worth reading up to 1 MiB of JSON.
            user = try enter(client, now)
            params = try Self.params(of: request)
            verbs = (params["verbs"]?.array ?? []).compactMap(\.string)
            try admit(request, verbs, client, as: user)
        } catch {
            return [refusal(error.status, error.reason, request, client, denial: error.denial)]
        }
        if request.target == "bus" { return hello(params, request, client, user, heads, now) }
        guard let target = targets[request.target]?.identity else {
            let params: JSONValue = [
                "error": .string("'\(request.target)' is not connected to the bus"),
                ReplyFrames.undelivered: true,
            ]
            return [answer(503, params, request.correlation, client)]
        }
        guard open.count < Self.entries, openOf[target, default: 0] < Self.entriesOfTarget else {
            return [refusal(429, "too many requests to '\(request.target)' are open", request, client)]
        }
        // From the key only, whatever the asker wrote there (bus.md 8).
        params["user"] = .string(user.name)
        var onward = request
        onward.correlation = nextCorrelation()
        onward.params = (try? Wire.encode(params)) ?? Data("{}".utf8)
        open[onward.correlation] = Entry(
            client: client, user: user.name, correlation: request.correlation, method: request.method,
            target: request.target, verbs: verbs, identity: target, deadline: now + request.deadline)
        openOf[target, default: 0] += 1
        openBy[user.name, default: 0] += 1
        return [Output(to: target.identity, frames: onward.frames, correlation: onward.correlation)]
    }

    private struct Refused: Error {
        var status: Int
        var reason: String
        var denial: Denial
    }

    private static let itself = Authority.Client(name: Source.eventBus.name, rights: .everything)

    /// Who asks, whatever it is; also what cannot be read counts against the rate.
    private mutating func enter(_ peer: Peer, _ now: Duration) throws(Refused) -> Authority.Client {
        if peer.isBus { return Self.itself }
        guard let client = authority.client(peer.key) else {
            throw Refused(status: 401, reason: "this key is not authorized", denial: .key)
        }
        guard limits.take(client, now: now) else {
            throw Refused(
                status: 429, reason: "'\(client.name)' may ask \(client.rights.rate) times a second", denial: .rate)
        }
        return client
    }

    private static func params(of request: RequestFrames) throws(Refused) -> [String: JSONValue] {
        guard let params = (try? Wire.decode(JSONValue.self, from: request.params))?.object else {
            throw Refused(status: 400, reason: "the params are not a JSON object", denial: .params)
        }
        return params
    }

    /// Whether they may ask this.
    private func admit(
        _ request: RequestFrames, _ verbs: [String], _ peer: Peer, as client: Authority.Client
    ) throws(Refused) {
        if peer.isBus || request.target == "bus" { return }
        guard client.rights.mayAsk(request.method, of: request.target, verbs: verbs) else {
            let of = verbs.isEmpty ? request.target : verbs.joined(separator: ", ").shortened(to: 200)
            throw Refused(
                status: 403, reason: "'\(client.name)' has no right to '\(request.method)' of '\(of)'", denial: .request
            )
        }
        guard authority.isLocal || openBy[client.name, default: 0] < Self.entriesOfClient else {
            throw Refused(
                status: 429, reason: "'\(client.name)' has \(Self.entriesOfClient) requests open", denial: .rate)
        }
    }

    /// `nil`: nobody waits for it, or it is not theirs to give.
    mutating func reply(_ reply: ReplyFrames, from peer: Peer) -> Output? {
        guard open[reply.correlation]?.identity == peer, let entry = close(reply.correlation) else { return nil }
        var onward = reply
        onward.correlation = entry.correlation
        return Output(to: entry.client.identity, frames: onward.frames)
    }

    /// The target is gone, or takes no more.
    mutating func undelivered(_ correlation: Data, isGone: Bool) -> [Output] {
        guard let entry = close(correlation) else { return [] }
        guard isGone else { return [refusal(429, "'\(entry.target)' takes no more requests", entry)] }
        let refused = refusal(503, "'\(entry.target)' is not connected to the bus any more", entry)
        return [refused] + forget(entry.identity)
    }

    /// What whoever lost a right has out ends, and so does their answering for others.
    mutating func adopt(_ newer: Authority) -> [Output] {
        authority = newer
        limits.keep(newer.names)
        let orphaned = targets.filter { name, registration in
            newer.client(registration.identity.key)?.rights.speaks(for: name) != true
        }
        var outputs = orphaned.sorted { $0.key < $1.key }.flatMap { forget($0.value.identity, only: $0.key) }
        let ended = open.filter { _, entry in
            if entry.client.isBus { return false }
            let rights = newer.client(entry.client.key)?.rights
            return rights?.mayAsk(entry.method, of: entry.target, verbs: entry.verbs) != true
        }
        for correlation in ended.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let entry = close(correlation) else { continue }
            outputs.append(refusal(401, "the right to ask this was taken away", entry))
        }
        return outputs
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
        _ params: [String: JSONValue], _ request: RequestFrames, _ client: Peer, _ user: Authority.Client,
        _ heads: RememberedHeads, _ now: Duration
    ) -> [Output] {
        guard request.method == "hello" else {
            return [refusal(404, "'bus' has no such method '\(request.method)'", request, client)]
        }
        guard let source = params["source"]?.string.flatMap({ Source(checking: $0) }), source.name != "bus" else {
            return [refusal(400, "hello needs a source of [a-z0-9.-]{1,63}", request, client)]
        }
        guard user.rights.speaks(for: source.name), source != .eventBus else {
            let reason = "'\(user.name)' may not speak for '\(source)': that needs pub=e/\(source)/*"
            return [refusal(403, reason, request, client, denial: .request)]
        }
        var leadsUntil: Duration?
        if let epoch = params["epoch"]?.int, let last = params["last"]?.int {
            let said = RememberedHeads.Head(epoch: Int64(epoch), last: Int64(last))
            // Who publishes a log at full speed has always said less than the bus has heard by now.
            let isItself = targets[source.name].map { $0.identity == client && $0.leadsUntil != nil } ?? false
            if let known = heads.head(of: source.name), said < known, !(isItself && said.epoch == known.epoch) {
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
        let welcome = answer(200, ["user": .string(user.name)], request.correlation, client)
        let former = targets[source.name]
        if leadsUntil == nil, let former, let until = former.leadsUntil, until > now { return [welcome] }
        var outputs = [welcome]
        // The same service, started again: what its former life was asked will not be answered.
        if let former, former.identity != client { outputs += forget(former.identity, only: source.name) }
        targets[source.name] = Registration(identity: client, leadsUntil: leadsUntil)
        return outputs
    }

    /// Gives up what an identity was asked, and no longer sends it anything.
    private mutating func forget(_ identity: Peer, only target: String? = nil) -> [Output] {
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
        let asked = openBy[entry.user, default: 1] - 1
        openBy[entry.user] = asked > 0 ? asked : nil
        return entry
    }

    private mutating func nextCorrelation() -> Data {
        counter += 1
        return withUnsafeBytes(of: (life.bigEndian, counter.bigEndian)) { Data($0) }
    }

    private func refusal(_ status: Int, _ error: String, _ entry: Entry) -> Output {
        answer(status, ["error": .string(error)], entry.correlation, entry.client)
    }

    private func refusal(
        _ status: Int, _ error: String, _ request: RequestFrames, _ client: Peer, denial: Denial? = nil
    ) -> Output {
        var output = answer(status, ["error": .string(error)], request.correlation, client)
        output.denial = denial
        return output
    }

    private func answer(_ status: Int, _ params: JSONValue, _ correlation: Data, _ client: Peer) -> Output {
        let encoded = (try? Wire.encode(params)) ?? Data("{}".utf8)
        return Output(
            to: client.identity,
            frames: ReplyFrames(correlation: correlation, status: status, params: encoded).frames)
    }
}
