import EventLog
import Foundation
import Messages

/// The owner's answer to `fetch` (bus.md 6): records from a place on, or why that place is none of this log.
struct LogFetch: Sendable {
    let source: Source
    let reader: any LogReader

    func answer(_ request: BusRequest) async -> BusReply {
        guard let encoded = try? Wire.encode(request.params),
            let wanted = try? Wire.decode(FetchRequest.self, from: encoded),
            wanted.after >= 0, wanted.epoch >= 0, wanted.limit >= 0, wanted.maxBytes >= 0
        else { return .refused(400, "fetch needs epoch, after, limit and maxBytes") }
        do {
            return try await answer(wanted)
        } catch {
            return .refused(503, "the log of '\(source)' cannot be read: \(error)")
        }
    }

    private func answer(_ wanted: FetchRequest) async throws -> BusReply {
        let head = try await reader.head(of: source)
        if wanted.limit == 0 { return try reply(200, head) }
        if wanted.epoch == 0 { return try await fromTheBeginning(wanted, head) }
        if wanted.epoch == head.epoch {
            if wanted.after > head.last { return try reply(409, head) }
            return try await records(wanted, until: head.last, head)
        }
        guard let parent = head.parent, parent.epoch == wanted.epoch else {
            return try reply(wanted.epoch > head.epoch ? 409 : 404, head)
        }
        if wanted.after > parent.seq { return try reply(409, head) }
        return try await records(wanted, until: parent.seq, head)
    }

    /// A log that goes on from an older epoch begins there, as long as that is still kept.
    private func fromTheBeginning(_ wanted: FetchRequest, _ head: LogHead) async throws -> BusReply {
        var wanted = wanted
        wanted.after = 0
        if let parent = head.parent {
            wanted.epoch = parent.epoch
            let older = try await records(wanted, until: parent.seq, head)
            if older.status == 200, !older.body.isEmpty { return older }
        }
        wanted.epoch = head.epoch
        return try await records(wanted, until: head.last, head)
    }

    private func records(_ wanted: FetchRequest, until last: Int64, _ head: LogHead) async throws -> BusReply {
        guard wanted.after < last else { return try reply(200, head) }
        let read = try await reader.records(
            of: source, epoch: wanted.epoch, after: wanted.after,
            limit: min(wanted.limit, BusLimits.fetchRecords), maxBytes: min(wanted.maxBytes, BusLimits.fetchBytes))
        let records = read.filter { $0.seq <= last }
        guard records.first?.seq == wanted.after + 1 else { return try reply(410, head) }
        return try reply(200, head, records, more: (records.last?.seq ?? 0) < last)
    }

    private func reply(
        _ status: Int, _ head: LogHead, _ records: [LogRecord] = [], more: Bool = false
    ) throws -> BusReply {
        var params = try Wire.decode([String: JSONValue].self, from: Wire.encode(head))
        params["more"] = .bool(more)
        return BusReply(status: status, params: .object(params), body: FetchAnswer.frames(of: records))
    }
}
