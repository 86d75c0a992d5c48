import Bus
import Foundation
import Messages

/// Publishes what was denied to the log `ingest`, through the bus's own router (bus.md 8).
///
/// Pure: the router hands in answers and sends what comes out. While `ingest` is away, reports wait, at most
/// ``most`` of them: the bus keeps nothing on disk, and its counters say the rest.
struct DenialReporter {
    static let most = 256
    static let patience = Duration.seconds(5)

    private struct Report {
        var correlation: Data
        var body: Data
    }

    private var waiting: [Report] = []
    private var isAsked = false
    private var nextAt: Duration = .zero
    private let ids = UUIDv7()
    private var number: UInt64 = 0
    /// Reports thrown away because too many waited.
    private(set) var lost = 0

    mutating func add(_ denied: ClientDenied, at time: Timestamp) {
        guard waiting.count < Self.most else {
            lost += 1
            return
        }
        let id = ids.next(at: time)
        let event: JSONValue = [
            "specversion": "1.0", "id": .string(id), "source": .string("/martlet/\(Source.eventBus)"),
            "type": .string(ClientDenied.eventType), "subject": .string("client/\(denied.client)"),
            "time": .string(time.text), "datacontenttype": "application/json",
            "dataschema": .string(ClientDenied.schemaURI), "partitionkey": .string(denied.client),
            "data": (try? Wire.tree(denied)) ?? [:],
        ]
        guard let body = try? Wire.encode(event) else { return }
        number += 1
        let correlation = withUnsafeBytes(of: (UInt64.zero, number.bigEndian)) { Data($0) }
        waiting.append(Report(correlation: correlation, body: body))
    }

    /// The request to be sent now, if any. One at a time; the same again when it was not answered.
    mutating func next(now: Duration) -> RequestFrames? {
        guard !isAsked, nextAt <= now, let report = waiting.first else { return nil }
        isAsked = true
        return RequestFrames(
            correlation: report.correlation, method: "publish", target: Source.ingest.name, deadline: Self.patience,
            params: Data("{}".utf8), body: [report.body])
    }

    /// The log's answer, or the router's that there is none.
    mutating func answered(_ reply: ReplyFrames, now: Duration) {
        guard isAsked, let report = waiting.first, report.correlation == reply.correlation else { return }
        isAsked = false
        switch reply.status {
        // 400 and 409 do not get better by asking again.
        case 200, 400, 409, 413: waiting.removeFirst()
        default: nextAt = now + Self.patience
        }
    }

    var count: Int { waiting.count }
    /// When there is something to be sent again.
    var wakeAt: Duration? { waiting.isEmpty || isAsked ? nil : nextAt }
}
