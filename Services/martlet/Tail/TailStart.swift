import ArgumentParser
import Bus
import EventLog
import Messages

/// Where a tail begins.
struct TailStart: Sendable, Equatable {
    var fromStart = false
    var time: Timestamp?
    /// Goes on after this number.
    var numbers: [Source: Int64] = [:]

    init(_ texts: [String]) throws {
        for text in texts {
            if text == "start" {
                fromStart = true
            } else if let time = Timestamp(text) {
                self.time = time
                fromStart = true
            } else if let colon = text.lastIndex(of: ":"), let source = Source(checking: String(text[..<colon])),
                let seq = Int64(text[text.index(after: colon)...]), seq >= 0
            {
                guard Source.all.contains(source) else {
                    let known = Source.all.map(\.name).joined(separator: ", ")
                    throw ValidationError("--since: '\(source)' is not a source; they are \(known)")
                }
                numbers[source] = seq
            } else {
                throw ValidationError("--since '\(text)': take 'start', a time as 2026-01-31T12:00:00Z, or SOURCE:SEQ")
            }
        }
    }

    /// A cursor for each source that does not begin with its first event.
    func cursors(_ bus: BusConnection) async throws -> [Source: LogCursor] {
        var cursors: [Source: LogCursor] = [:]
        try await withThrowingTaskGroup(of: (Source, LogCursor?).self) { group in
            for source in Source.all where !fromStart || numbers[source] != nil {
                group.addTask { (source, try await cursor(of: source, bus)) }
            }
            for try await (source, cursor) in group { cursors[source] = cursor }
        }
        return cursors
    }

    private func cursor(of source: Source, _ bus: BusConnection) async throws -> LogCursor? {
        let reply: BusReply
        do {
            reply = try await bus.request(
                "fetch", to: source.name, params: ["epoch": 0, "after": 0, "limit": 1, "maxBytes": 1024],
                timeout: .seconds(5))
        } catch .unreachable {
            throw Failure.unreachable("no event-bus answers at \(bus.place)", hint: "start Martlet with 'martlet up'")
        } catch {
            // A service that is down now is followed from its first event when it comes back.
            return nil
        }
        guard let epoch = reply.params["epoch"]?.int, let last = reply.params["last"]?.int,
            let chain = reply.params["chain"]?.string.flatMap({ Chain(hex: $0) })
        else { return nil }
        guard let seq = numbers[source] else { return LogCursor(epoch: Int64(epoch), seq: Int64(last), chain: chain) }
        guard seq <= Int64(last) else {
            throw Failure("\(source) ends at \(last), before \(seq)", hint: "use --since \(source):\(last) or less")
        }
        return LogCursor(epoch: Int64(epoch), seq: seq, chain: seq == Int64(last) ? chain : .unknown)
    }
}
