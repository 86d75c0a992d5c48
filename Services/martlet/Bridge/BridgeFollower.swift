import EventLog
import Foundation
import HTTPClient
import Messages
import ServiceKit

/// Hands the events of each log on over HTTP, one after the other, until the receiver has accepted them.
actor BridgeFollower: LogFollower {
    struct Receiver: Sendable {
        var url: String
        var webhook: StandardWebhook?
        var timeout: Duration
    }

    private let receiver: Receiver
    private let filter: EventFilter
    /// Events before this time are passed over.
    private let after: Timestamp?
    private let statePath: String
    private let tell: @Sendable (BridgeProgress) -> Void
    private let client = HTTPClient()
    private var state: BridgeState
    private var waiting: CheckedContinuation<Void, Never>?
    private(set) var problem: Failure?

    init(
        to receiver: Receiver, filter: EventFilter, after: Timestamp?, state: BridgeState, statePath: String,
        tell: @escaping @Sendable (BridgeProgress) -> Void
    ) {
        self.receiver = receiver
        self.filter = filter
        self.after = after
        self.state = state
        self.statePath = statePath
        self.tell = tell
    }

    func cursor(for source: Source) -> LogCursor? { state.cursors[source.name] }

    func apply(_ records: [LogRecord]) async throws {
        for (index, record) in records.enumerated() {
            let wanted = passes(record)
            if wanted { try await hand(record) }
            state.cursors[record.source.name] = LogCursor(epoch: record.epoch, seq: record.seq, chain: record.chain)
            // What nobody wants is passed over again after a crash, at no cost.
            if wanted || index == records.count - 1 { try state.write(statePath) }
        }
    }

    /// What is gone cannot be handed on; what it came to is.
    func apply(_ part: SnapshotPart) async throws {
        let done = state.cursors[part.source.name]?.place
        for record in part.records where done.map({ $0 < record.place }) ?? true {
            if passes(record) { try await hand(record) }
        }
        guard part.isLast else { return }
        state.cursors[part.source.name] = part.at
        try state.write(statePath)
    }

    func halt(of source: Source) -> Halt? { nil }

    func goOn(_ landing: Landing) {}

    func quarantine(_ fork: Fork) {
        end(
            Failure(
                "the log \(fork.source) contradicts itself at \(fork.epoch)/\(fork.seq): it was restored, or runs twice",
                hint: "remove \(statePath) and begin again with --since; receivers tell repeated events by webhook-id"))
    }

    /// Returns when nothing more can be handed on.
    func ended() async {
        if problem != nil { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting = $0 }
        } onCancel: {
            Task { await self.finish() }
        }
    }

    private func end(_ failure: Failure) {
        problem = problem ?? failure
        finish()
    }

    private func finish() {
        waiting?.resume()
        waiting = nil
    }

    private func passes(_ record: LogRecord) -> Bool {
        guard let event = try? Wire.decode(Envelope.self, from: record.body) else { return false }
        if let after, event.time < after { return false }
        return filter.passes(event)
    }

    /// Until it is accepted. The receiver tells a second sending by `webhook-id`, which stays the same.
    private func hand(_ record: LogRecord) async throws {
        let id = "\(record.source)/\(record.epoch)/\(record.seq)"
        var failures = 0
        while true {
            try Task.checkCancellation()
            // Told to stop meanwhile, it still hears the answer: what was accepted is not sent again.
            let (wait, reason) = await Task { await attempt(record, id) }.value
            guard let reason else { return tell(.accepted(id: id)) }
            if let problem { throw problem }
            failures += 1
            let pause = wait ?? Self.pause(after: failures)
            let seconds = Int(max(1, pause.components.seconds))
            tell(.refused(id: id, reason: reason, retrySeconds: seconds))
            try await Task.sleep(for: pause)
        }
    }

    /// - Returns: why it was not accepted, `nil` when it was; and how long the receiver wants us to wait.
    private func attempt(_ record: LogRecord, _ id: String) async -> (Duration?, String?) {
        let now = Int64(Date().timeIntervalSince1970)
        let signed =
            receiver.webhook?.headers(id: id, at: now, body: record.body)
            ?? [("webhook-id", id), ("webhook-timestamp", String(now))]
        do {
            let answer = try await client.send(
                HTTPRequest(
                    method: "POST", url: receiver.url,
                    headers: [("content-type", "application/cloudevents+json; charset=utf-8")] + signed,
                    body: record.body, timeout: receiver.timeout, maxResponseBytes: 1 << 16))
            if answer.isSuccess { return (nil, nil) }
            if answer.status == 410 {
                end(Failure("the receiver wants no more (410 Gone)", hint: "is --to still right?"))
            }
            let asked = answer.header("retry-after").flatMap { Int($0) }.map { Duration.seconds(min(max(0, $0), 3600)) }
            return (asked, "it answered \(answer.status)")
        } catch {
            return (nil, "\(error)")
        }
    }

    /// 1 s to 60 s, up to a fifth more or less: many bridges should not come back at the same moment.
    static func pause(after failures: Int) -> Duration {
        let seconds = ServiceKit.BackOff.afterFailures(failures).components.seconds
        return .milliseconds(seconds * Int64.random(in: 800...1200))
    }
}
