import EventLog
import Foundation
import Logging
import Messages
import Synchronization

/// Sends the records of one service's logs as soon as they are committed, and answers `fetch` for them.
package final class Publisher: Sendable {
    private struct Greeting: Sendable {
        var source: Source
        var head: LogHead
        var answer: PublisherState.HelloAnswer
    }

    private struct Inbox {
        var isWoken = true
        var isReconnected = false
        var greetings: [Greeting] = []
    }

    private let bus: BusConnection
    private let reader: any LogReader
    private let sources: [Source]
    private let logger: Logger
    private let inbox = Mutex(Inbox())
    private let signal = Signal()
    private let refused = Mutex<[Source: String]>([:])
    /// Where the logs stood when they were last read, until something is committed: an idle log is not read each second.
    private let heads = Mutex<[Source: LogHead]>([:])
    private let wakes = Atomic(0)
    /// What `states` in `run` know, for whoever looks from outside.
    private let marks = Mutex<[Source: Int64]>([:])

    package init(bus: BusConnection, reader: any LogReader, sources: [Source], logger: Logger) {
        self.bus = bus
        self.reader = reader
        self.sources = sources
        self.logger = logger
    }

    /// To be called after each commit that appended to a log. Cheap, from any thread.
    package func wake() {
        heads.withLock { heads in
            wakes.add(1, ordering: .releasing)
            heads = [:]
        }
        inbox.withLock { $0.isWoken = true }
        signal.set()
    }

    /// The number of each log's last event that was sent, or skipped; nothing of logs that the bus has not welcomed.
    package var sent: [Source: Int64] { marks.withLock { $0 } }

    /// Logs that the bus does not let in, and why: for operators.
    package var refusals: [Source: String] { refused.withLock { $0 } }

    /// Publishes until the task is canceled.
    package func run() async {
        for source in sources {
            bus.announcesItself(source)
            bus.serve(as: source, LogFetch(source: source, reader: reader).handlers)
        }
        bus.whenConnected { [weak self] in self?.reconnected() }
        var states = Dictionary(uniqueKeysWithValues: sources.map { ($0, PublisherState(now: uptime())) })
        while !Task.isCancelled {
            read(into: &states)
            var deadline = uptime() + PublisherState.heartbeat
            for source in sources {
                guard var state = states[source] else { continue }
                deadline = min(deadline, await work(off: &state, for: source))
                states[source] = state
                if state.isAnnounced { marks.withLock { $0[source] = state.mark } }
            }
            await signal.wait(until: .now + max(.zero, deadline - uptime()))
        }
    }

    private func reconnected() {
        inbox.withLock { $0.isReconnected = true }
        signal.set()
    }

    private func read(into states: inout [Source: PublisherState]) {
        let news = inbox.withLock { inbox in
            defer { inbox = Inbox(isWoken: false) }
            return inbox
        }
        let now = uptime()
        for source in sources {
            if news.isWoken { states[source]?.woken() }
            if news.isReconnected { states[source]?.reconnected(now: now) }
        }
        for greeting in news.greetings {
            states[greeting.source]?.helloAnswered(greeting.answer, at: greeting.head, now: now)
        }
    }

    /// Does what is due; returns when the next thing is.
    private func work(off state: inout PublisherState, for source: Source) async -> Duration {
        while !Task.isCancelled {
            let step = state.next(now: uptime())
            do {
                switch step {
                case .wait(let deadline): return deadline
                case .hello: sayHello(for: source)
                case .send(let after, let limit): try await send(source, after: after, limit: limit, &state)
                case .beat: try await beat(source, &state)
                }
            } catch {
                logger.error(
                    "the log cannot be read; publishing goes on in a second",
                    metadata: ["source": "\(source)", "error": "\(error)"])
                state.woken()
                return uptime() + .seconds(1)
            }
        }
        return uptime()
    }

    private func send(_ source: Source, after: Int64, limit: Int, _ state: inout PublisherState) async throws {
        let head = state.epoch
        let records = try await reader.records(
            of: source, epoch: head, after: after, limit: limit, maxBytes: BusLimits.fetchBytes)
        guard !records.isEmpty else { return }
        let count = await bus.live?.publish(FetchAnswer.messages(of: records)) ?? 0
        let last = count > 0 ? records[count - 1].seq : after
        state.sent(count, of: records.count, last: last, now: uptime())
    }

    private func beat(_ source: Source, _ state: inout PublisherState) async throws {
        let head = try await head(of: source)
        state.headRead(head, now: uptime())
        let header = LiveHeader(kind: .heartbeat, epoch: head.epoch, seq: head.last, chain: head.chain)
        _ = await bus.live?.publish([[Data("h/\(source)".utf8), header.bytes, Data()]])
    }

    private func head(of source: Source) async throws -> LogHead {
        if let known = heads.withLock({ $0[source] }) { return known }
        let generation = wakes.load(ordering: .acquiring)
        let head = try await reader.head(of: source)
        heads.withLock { heads in
            // What was committed while it was read may be newer.
            if wakes.load(ordering: .acquiring) == generation { heads[source] = head }
        }
        return head
    }

    /// Apart from the loop: a bus that does not answer must not keep events waiting.
    private func sayHello(for source: Source) {
        Task { [self] in
            let greeting = await hello(source)
            inbox.withLock { $0.greetings.append(greeting) }
            signal.set()
        }
    }

    private func hello(_ source: Source) async -> Greeting {
        let nowhere = LogHead(source: source, epoch: 0, first: 1, last: 0, chain: .unknown)
        guard let head = try? await head(of: source) else {
            return Greeting(source: source, head: nowhere, answer: .none)
        }
        let params: JSONValue = [
            "source": .string(source.name), "epoch": .int(Int(head.epoch)), "first": .int(Int(head.first)),
            "last": .int(Int(head.last)), "chain": .string(head.chain.hex),
        ]
        let reply = try? await bus.request("hello", to: "bus", params: params, timeout: .seconds(5))
        switch reply?.status {
        case 200:
            refused.withLock { $0[source] = nil }
            return Greeting(source: source, head: head, answer: .welcome)
        case 409:
            // The bus may have heard newer events than this hello; only a log that really is behind is refused.
            let remembered = (reply?.params["epoch"]?.int ?? 0, reply?.params["last"]?.int ?? 0)
            let now = (try? await reader.head(of: source)) ?? head
            if (Int(now.epoch), Int(now.last)) >= remembered {
                // The next hello reads the head anew, whether or not what was committed has been told here.
                heads.withLock { $0[source] = nil }
                return Greeting(source: source, head: now, answer: .outrun)
            }
            logger.critical(
                "this log is older than what the bus has heard of it: was an older copy restored, or does it run twice?",
                metadata: ["source": "\(source)", "last": "\(now.last)", "bus": "\(remembered.1)"])
            let older =
                "the log '\(source)' ends at \(now.epoch)/\(now.last), the bus has heard of"
                + " \(remembered.0)/\(remembered.1): nothing is published. Was an older copy restored, or does it run"
                + " twice? If it was restored: martlet logs new-epoch \(source)"
            refused.withLock { $0[source] = older }
            return Greeting(source: source, head: now, answer: .refused)
        default: return Greeting(source: source, head: head, answer: .none)
        }
    }
}
