import Messages

/// A wish for another stage, from a step or from a person.
struct Transition: Sendable {
    var model: String
    var version: Int
    /// As written; `none` for no stage.
    var to: String
    /// The stage that the version must have now (compare-and-set).
    var expect: String?
    /// The version that must hold the wanted stage now; `.some(nil)`: nobody.
    var expectHolder: Int??
    var actor: Actor
    /// The run whose step asks; `nil` for a person.
    var run: String?

    /// `expect_holder`: the version that holds the stage until now, `none` for nobody (G7).
    static func holder(_ value: JSONValue?, key: String) throws(Refusal) -> Int?? {
        guard let value else { return nil }
        if value == .null || value == "none" || value == "" { return .some(nil) }
        guard let number = value.int ?? value.string.flatMap({ Int($0) }) else {
            throw Refusal("\(key): write a version's number, or none")
        }
        return number
    }

    /// The change by which a version came to where it is.
    struct Latest: Hashable, Sendable {
        var from: String?
        var to: String?
        /// Who left that stage for it.
        var replaced: [Int]
        var actor: String
        /// `nil` for a person's change.
        var run: String?
    }

    enum Verdict: Hashable {
        /// It is there already, alone where it must be: the same end state, nothing to tell (S3-25).
        case unchanged
        /// The version's own move, and who has to make room for it.
        case move(StageMove, replaced: [StageMove])
    }

    /// Judges the wish; all of its moves belong into one transaction (X6).
    ///
    /// - Parameters:
    ///   - holders: the stage of each version of the model that has one.
    ///   - latest: the version's last own change; needed where something is expected.
    func decide(machine: StageMachine, holders: [Int: String], latest: Latest? = nil) throws(Refusal) -> Verdict {
        let rules = machine.rules
        guard !rules.isEmpty else {
            throw Refusal("model '\(model)' declares no stages: declare model.stages in martlet.yml")
        }
        let now = holders[version]
        let target = machine.stage(to)
        let rule = machine.rule(of: target)
        if let target, rule == nil {
            let known = rules.keys.sorted().joined(separator: ", ")
            throw Refusal("model '\(model)' has no stage '\(target)': it has \(known)")
        }
        let others = holders.filter { $0.key != version && $0.value == target }.keys.sorted()
        let leaving = target != nil && rule?.many == false ? others : []
        let isReached = now == target && leaving.isEmpty
        // Said again after a lost answer, what was expected is no more: that was this wish's own doing.
        if !isReached || !isRepeated(after: latest, target: target, machine: machine) {
            try checkExpectations(now: now, target: target, holders: holders, machine: machine)
        }
        if isReached { return .unchanged }

        if let rule, !rule.from.isEmpty, !rule.from.contains(where: { machine.stage($0) == now }), now != target {
            throw Refusal(
                "version \(version) of '\(model)' is in stage \(machine.name(of: now)); "
                    + "'\(to)' may only follow \(rule.from.joined(separator: ", "))")
        }
        let named = rule?.setBy ?? []
        // Taking a stage away is as grave as giving it, so who may do one may do the other. Who is named where the
        // version goes takes it from where others put it: that is a promotion.
        if let now, now != target, target == nil || named.isEmpty || machine.leadsBack(from: now, to: target) {
            try checkActor(machine.rule(of: now)?.setBy ?? [], "take version \(version) out of stage '\(now)'")
        }
        try checkActor(named, "set stage '\(machine.name(of: target))'")
        let replaced = makingRoom(leaving, in: target, rules: rules, holders: holders)
        return .move(StageMove(version: version, from: now, to: target), replaced: replaced)
    }

    /// Whether the version's last change was this very wish, by whoever asks now.
    private func isRepeated(after latest: Latest?, target: String?, machine: StageMachine) -> Bool {
        guard let latest, latest.to == target, latest.actor == actor.name, latest.run == run else { return false }
        if let expect, machine.stage(expect) != latest.from { return false }
        if let expectHolder, latest.replaced != (expectHolder.map { [$0] } ?? []) { return false }
        return true
    }

    /// Who makes room, the last in line first: where a replaced version goes to a stage for one, its holder goes on too.
    private func makingRoom(
        _ leaving: [Int], in stage: String?, rules: [String: StageRule], holders: [Int: String]
    ) -> [StageMove] {
        var moves: [StageMove] = []
        var (leaving, stage) = (leaving, stage)
        var seen: Set<String> = []
        while let full = stage, let newest = leaving.max() {
            seen.insert(full)
            var next = rules[full]?.replacedBecomes
            // A circle has no end: its last version loses its stage.
            if let word = next, seen.contains(word) { next = nil }
            let isForOne = next.map { rules[$0]?.many == false } ?? false
            let left = leaving.map { StageMove(version: $0, from: full, to: isForOne && $0 != newest ? nil : next) }
            moves = left + moves
            leaving = isForOne ? holders.filter { $0.value == next && $0.key != version }.keys.sorted() : []
            stage = next
        }
        return moves
    }

    private func checkExpectations(
        now: String?, target: String?, holders: [Int: String], machine: StageMachine
    ) throws(Refusal) {
        if let expect, machine.stage(expect) != now {
            throw Refusal(
                "version \(version) of '\(model)' is in stage \(machine.name(of: now)), not in '\(expect)' as expected: "
                    + "it changed meanwhile")
        }
        guard let expectHolder else { return }
        let holding = holders.filter { $0.value == target && $0.key != version }.keys.sorted()
        guard holding != (expectHolder.map { [$0] } ?? []) else { return }
        let wanted = expectHolder.map { "version \($0)" } ?? "nobody"
        let found = holding.isEmpty ? "nobody" : "version " + holding.map(String.init).joined(separator: ", ")
        throw Refusal("'\(to)' of '\(model)' is held by \(found), not by \(wanted) as expected: it changed meanwhile")
    }

    private func checkActor(_ allowed: [String], _ deed: String) throws(Refusal) {
        guard !allowed.isEmpty, !allowed.contains(where: actor.isMeant(by:)) else { return }
        throw Refusal("\(actor.name) may not \(deed) of '\(model)': only \(allowed.joined(separator: ", ")) may")
    }
}
