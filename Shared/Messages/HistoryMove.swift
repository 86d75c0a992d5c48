import Foundation

/// One version's move as the stage history keeps it; a change is its own move, after those of whoever made room.
public struct HistoryMove: Sendable, Hashable, Codable {
    /// The id of the `model.stage_changed` event.
    public var event: String
    /// The version that the change is about.
    public var about: Int
    public var version: Int
    public var from: String?
    public var to: String?
    public var actor: String
    public var reason: String
    public var run: String?
    public var decision: String?
    public var approval: String?
    public var compensates: String?
    public var time: Timestamp

    public init(
        event: String, about: Int, version: Int, from: String?, to: String?, actor: String, reason: String,
        run: String?, decision: String?, approval: String?, compensates: String?, time: Timestamp
    ) {
        self.event = event
        self.about = about
        self.version = version
        self.from = from
        self.to = to
        self.actor = actor
        self.reason = reason
        self.run = run
        self.decision = decision
        self.approval = approval
        self.compensates = compensates
        self.time = time
    }

    /// The moves of one change, in their order.
    public static func moves(
        of change: ModelStageChanged, event: String, actor: String, time: Timestamp
    ) -> [HistoryMove] {
        let own = StageMove(version: change.version, from: change.from, to: change.to)
        return (change.replaced + [own]).map { move in
            HistoryMove(
                event: event, about: change.version, version: move.version, from: move.from, to: move.to, actor: actor,
                reason: change.words(ofMoving: move.version), run: change.run, decision: change.decision,
                approval: change.approval, compensates: change.compensates, time: time)
        }
    }
}

extension ModelStageChanged {
    /// Whoever gets a stage back was not the one that failed.
    fileprivate func words(ofMoving version: Int) -> String {
        let taken = "taken back: "
        guard compensates != nil, version != self.version else { return reason }
        return "given back: " + (reason.hasPrefix(taken) ? String(reason.dropFirst(taken.count)) : reason)
    }
}
