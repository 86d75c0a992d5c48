import EventLog
import Foundation
import GRDB
import Messages

/// Runs that the console need not know of: each time that they began they also ended before it went on from a snapshot,
/// which tells of what is, not of what only happened meanwhile (decision 0010).
struct MissedRuns {
    private let bridges: [(from: LogPlace, to: LogPlace)]
    private var lives: [String: [(begin: LogPlace, end: LogPlace?)]] = [:]

    init(_ world: World) throws {
        bridges = try world.read(.console) { db in
            try Archive.events(of: .console, in: db).compactMap { event -> (from: LogPlace, to: LogPlace)? in
                guard let taken = try event.envelope.body(SnapshotTaken.self) else { return nil }
                guard taken.source == Source.triggerService.name else { return nil }
                return (
                    LogPlace(epoch: taken.fromEpoch ?? 0, seq: taken.fromSeq ?? 0),
                    LogPlace(epoch: taken.toEpoch, seq: taken.toSeq)
                )
            }
        }
        for (place, envelope) in try world.read(.triggerService, { try Archive.events(of: .triggerService, in: $0) }) {
            if let queued = try envelope.body(RunQueued.self) {
                lives[queued.run, default: []].append((place, nil))
            } else if let run = try envelope.body(RunFinished.self)?.run, let newest = lives[run]?.indices.last {
                lives[run]?[newest].end = place
            }
        }
    }

    func contains(_ run: String) -> Bool {
        guard let lives = lives[run] else { return false }
        return lives.allSatisfy { begin, end in
            guard let end else { return false }
            return bridges.contains { $0.from < begin && end <= $0.to }
        }
    }
}
