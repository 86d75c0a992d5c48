import Messages

/// One row of the stage history: a version's move as part of the change `event`.
struct StageRecord: Hashable, Sendable {
    var id: Int64
    /// The id of the `model.stage_changed` event that all moves of one change share.
    var event: String
    /// The version that the change is about.
    var about: Int
    var version: Int
    var from: String?
    var to: String?
    var run: String?
    /// The change that this one takes back.
    var compensates: String?
}

/// Takes back what a run did to the stages before its deployment failed, so that the registry does not lie (X8).
struct Compensation: Sendable {
    var model: String
    var version: Int
    var run: String
    /// Changes up to this record belong to an earlier deployment of the run that still stands.
    var after: Int64

    struct Step: Hashable {
        var event: String
        /// The version's own way back.
        var move: StageMove
        /// Former holders who get their stage back.
        var restored: [StageMove]
        /// Former holders who moved on meanwhile and are left alone.
        var left: [Int]
    }

    enum Verdict: Hashable {
        /// The run changed nothing, or all of it was taken back already.
        case nothing
        case takeBack([Step])
        /// Somebody decided otherwise meanwhile; their word stands.
        case changedSince(String)
    }

    /// - Parameters:
    ///   - history: all records of the model, oldest first.
    ///   - holders: the stage of each version of the model that has one.
    func decide(history: [StageRecord], machine: StageMachine, holders: [Int: String]) -> Verdict {
        let takenBack = Set(history.compactMap(\.compensates))
        let history = Self.standing(history)
        let own = history.filter {
            $0.run == run && $0.about == version && $0.version == version && $0.compensates == nil
                && $0.id > after && !takenBack.contains($0.event)
        }
        guard let newest = own.last else { return .nothing }
        guard let last = history.last(where: { $0.version == version }), last.event == newest.event else {
            return .changedSince(
                "version \(version) of '\(model)' is in stage \(machine.name(of: holders[version])) and was moved after "
                    + "run \(run) had set '\(machine.name(of: newest.to))': its stage is not taken back")
        }
        var stages = holders
        var undone: Set<String> = []
        let steps = own.reversed().map { record in
            undone.insert(record.event)
            return undo(record, history: history, undone: undone, machine: machine, stages: &stages)
        }
        return .takeBack(steps)
    }

    /// The history without moves that were taken back and the moves that took them back: the version is as if neither
    /// had been. A compensation that had to put a version elsewhere is a move like any other.
    private static func standing(_ history: [StageRecord]) -> [StageRecord] {
        var gone: Set<Int64> = []
        for back in history {
            guard let event = back.compensates,
                let move = history.first(where: { $0.event == event && $0.version == back.version }),
                move.from == back.to
            else { continue }
            gone.formUnion([move.id, back.id])
        }
        return history.filter { !gone.contains($0.id) }
    }

    private func undo(
        _ record: StageRecord, history: [StageRecord], undone: Set<String>, machine: StageMachine,
        stages: inout [Int: String]
    ) -> Step {
        let leaving = stages[version]
        stages[version] = nil
        let back = free(record.from, machine: machine, stages: stages)
        stages[version] = back
        var restored: [StageMove] = []
        var left: [Int] = []
        // Who made room last gets the stage back first: it held what the one before it is to get.
        for moved in history.reversed() where moved.event == record.event && moved.version != version {
            let lastWord = history.last { $0.version == moved.version && !undone.contains($0.event) }
            let touchedLater = lastWord.map { $0.id > moved.id } ?? false
            if touchedLater || free(moved.from, machine: machine, stages: stages) != moved.from {
                left.append(moved.version)
                continue
            }
            restored.append(StageMove(version: moved.version, from: stages[moved.version], to: moved.from))
            stages[moved.version] = moved.from
        }
        return Step(
            event: record.event, move: StageMove(version: version, from: leaving, to: back),
            restored: restored, left: left)
    }

    /// The stage itself, or what a replaced version becomes where somebody else holds it by now.
    private func free(_ stage: String?, machine: StageMachine, stages: [Int: String]) -> String? {
        var stage = stage
        var seen: Set<String> = []
        while let full = stage, let rule = machine.rules[full], !rule.many, stages.values.contains(full) {
            guard seen.insert(full).inserted else { return nil }
            stage = rule.replacedBecomes
        }
        return stage
    }
}
