import EventLog
import Foundation
import Messages

/// The owner's answers to `fetch` and `snapshot` (bus.md 6): records from a place on, or why that place is none of this
/// log, or what is left of records that were deleted.
package struct LogFetch: Sendable {
    let source: Source
    let reader: any LogReader

    package init(source: Source, reader: any LogReader) {
        self.source = source
        self.reader = reader
    }

    package var handlers: [String: RequestHandler] {
        ["fetch": { await fetch($0) }, "snapshot": { await snapshot($0) }]
    }

    package func fetch(_ request: BusRequest) async -> BusReply {
        await answering(request, "fetch needs epoch, after, limit and maxBytes") { (wanted: FetchRequest) in
            guard wanted.after >= 0, wanted.epoch >= 0, wanted.limit >= 0, wanted.maxBytes >= 0 else { return nil }
            return try await fetch(wanted)
        }
    }

    package func snapshot(_ request: BusRequest) async -> BusReply {
        await answering(request, "snapshot needs limit and maxBytes, and at and after for further parts") {
            (wanted: SnapshotRequest) in
            guard wanted.limit > 0, wanted.maxBytes >= 0 else { return nil }
            return try await snapshot(wanted)
        }
    }

    private func answering<Wanted: Decodable>(
        _ request: BusRequest, _ usage: String, _ answer: (Wanted) async throws -> BusReply?
    ) async -> BusReply {
        guard let encoded = try? Wire.encode(request.params), let wanted = try? Wire.decode(Wanted.self, from: encoded)
        else { return .refused(400, usage) }
        do {
            return try await answer(wanted) ?? .refused(400, usage)
        } catch {
            return .refused(503, "the log of '\(source)' cannot be read: \(error)")
        }
    }

    private func fetch(_ wanted: FetchRequest) async throws -> BusReply {
        let head = try await reader.head(of: source)
        if wanted.limit == 0 { return try reply(200, head) }
        var wanted = wanted
        if wanted.epoch == 0 { (wanted.epoch, wanted.after) = (head.beginning.epoch, 0) }
        guard let end = head.end(of: wanted.epoch) else {
            return try reply(wanted.epoch > head.epoch ? 409 : 404, head)
        }
        if wanted.after > end.seq { return try reply(409, head) }
        if LogPlace(epoch: wanted.epoch, seq: wanted.after) < head.base.place { return try reply(410, head) }
        guard wanted.after < end.seq else { return try reply(200, head) }
        let records = try await reader.records(
            of: source, epoch: wanted.epoch, after: wanted.after,
            limit: min(wanted.limit, BusLimits.fetchRecords), maxBytes: min(wanted.maxBytes, BusLimits.fetchBytes)
        ).filter { $0.seq <= end.seq }
        // Deleted since the head was read.
        guard records.first?.seq == wanted.after + 1 else { return try reply(410, try await reader.head(of: source)) }
        return try reply(200, head, records, more: (records.last?.seq ?? 0) < end.seq)
    }

    private func snapshot(_ wanted: SnapshotRequest) async throws -> BusReply {
        let (head, records, more) = try await reader.snapshot(
            of: source, after: wanted.after, limit: min(wanted.limit, BusLimits.fetchRecords),
            maxBytes: min(wanted.maxBytes, BusLimits.fetchBytes))
        if let at = wanted.at, at != head.base.place { return try reply(409, head) }
        return try reply(200, head, records, more: more)
    }

    private func reply(
        _ status: Int, _ head: LogHead, _ records: [LogRecord] = [], more: Bool = false
    ) throws -> BusReply {
        var params = try Wire.decode([String: JSONValue].self, from: Wire.encode(head))
        params["more"] = .bool(more)
        if status == 410 { params["snapshotAt"] = params["base"] }
        return BusReply(status: status, params: .object(params), body: FetchAnswer.frames(of: records))
    }
}
