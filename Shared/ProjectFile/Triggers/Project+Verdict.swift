import Messages

extension Project {
    /// Pure: the same file, cause and pipeline have the same verdict wherever it is asked for.
    package func verdict(for cause: CauseFacts, pipeline name: String) -> TriggerVerdict {
        guard let pipeline = pipeline(name) else {
            return .ignored(code: "no_pipeline", reason: "the project file has no pipeline '\(name)'")
        }
        if case .manual(let asked) = cause { return manualVerdict(asked, pipeline) }
        if case .tick(let ticked, _) = cause, ticked != name {
            return .ignored(code: "other_pipeline", reason: "the schedule is that of '\(ticked)'")
        }
        var ignored: TriggerVerdict?
        for trigger in pipeline.triggers where trigger.word == cause.word {
            let verdict = verdict(of: trigger, on: cause, for: pipeline)
            if verdict.isMatch { return verdict }
            ignored = ignored ?? verdict
        }
        for case .all(let conjunction) in pipeline.triggers {
            var contribution = Contribution(conjunction: conjunction, parts: [])
            for part in conjunction.parts where part.trigger.word == cause.word {
                let verdict = verdict(of: part.trigger, on: cause, for: pipeline)
                if case .matched(let reason) = verdict {
                    contribution.parts.append(Contribution.Part(name: part.name, reason: reason))
                } else {
                    ignored = ignored ?? verdict
                }
            }
            if !contribution.parts.isEmpty { return .contributes(contribution) }
        }
        return ignored ?? noTrigger(cause, pipeline)
    }

    /// A person may start what is declared `manual`, and what declares nothing at all.
    private func manualVerdict(_ asked: String, _ pipeline: Pipeline) -> TriggerVerdict {
        guard asked == pipeline.name else {
            return .ignored(code: "other_pipeline", reason: "'\(asked)' was asked for")
        }
        guard pipeline.triggers.isEmpty || pipeline.triggers.contains(where: { $0.word == "manual" }) else {
            return .ignored(
                code: "no_trigger",
                reason: "'\(pipeline.name)' is not started by hand: it has no 'manual' under 'on:'"
            )
        }
        return .matched(reason: "asked for by name")
    }

    private func noTrigger(_ cause: CauseFacts, _ pipeline: Pipeline) -> TriggerVerdict {
        var words: [String] = []
        for trigger in pipeline.triggers where !words.contains(trigger.inWords) { words.append(trigger.inWords) }
        let instead = words.isEmpty ? "it is started by hand only" : "it starts on " + words.joined(separator: ", ")
        return .ignored(
            code: "no_trigger", reason: "'\(pipeline.name)' has no '\(cause.word)' under 'on:'; \(instead)"
        )
    }

    private func verdict(of trigger: Trigger, on cause: CauseFacts, for pipeline: Pipeline) -> TriggerVerdict {
        switch (trigger, cause) {
        case (.push(let branches, let paths), .push(let branch, let changed, let truncated)):
            return Self.change("push to \(branch)", branch, changed, truncated, branches, paths)
        case (.pullRequest(let branches, let paths), .pullRequest(let branch, let changed, let truncated)):
            return Self.change("pull request into \(branch)", branch, changed, truncated, branches, paths)
        case (.tag(let filter), .tag(let tag)):
            guard filter.admits(tag) else {
                return .ignored(code: "tag_filter", reason: "tag '\(tag)' does not match \(filter.words)")
            }
            return .matched(reason: "tag \(tag)")
        case (.comment(let words, let place), .comment(let text, let inPullRequest)):
            return Self.comment(words, place, text, inPullRequest)
        case (
            .pipeline(let name, let branches, let conclusions), .pipelineFinished(let ended, let branch, let outcome)
        ):
            return Self.completion(name, branches, conclusions, ended, branch, outcome)
        case (.model(let wanted), _):
            return wanted.verdict(for: cause, models: modelNames(for: pipeline))
        case (.event(let wanted, let filter), .event(let type, let data, let attributes)):
            return filter.verdict(type: type, wanted: wanted, data: data, attributes: attributes)
        case (.schedule(let schedule), .tick(_, let cron)):
            guard schedule.cron.text == cron else {
                return .ignored(code: "other_schedule", reason: "its schedule is '\(schedule.cron.text)'")
            }
            return .matched(reason: "schedule '\(cron)'")
        case (.push, _), (.pullRequest, _), (.tag, _), (.comment, _), (.manual, _), (.pipeline, _), (.event, _),
            (.schedule, _), (.all, _):
            return noTrigger(cause, pipeline)
        }
    }

    private static func change(
        _ what: String, _ branch: String, _ changed: [String], _ truncated: Bool, _ branches: BranchFilter,
        _ paths: PathFilter
    ) -> TriggerVerdict {
        guard branches.admits(branch) else {
            return .ignored(code: "branch_filter", reason: "branch '\(branch)' does not match \(branches.words)")
        }
        if paths.patterns.isEmpty { return .matched(reason: what) }
        let admitted = changed.filter(paths.admits)
        if let first = admitted.first {
            let more = admitted.count == 1 ? "" : " and \(admitted.count - 1) more"
            return .matched(reason: "\(what) changed \(first)\(more)")
        }
        // The listed files are not all of them: better one run too many than a change that nobody tested.
        if truncated { return .matched(reason: "\(what) changed more files than are listed") }
        return .ignored(code: "path_filter", reason: "no file \(paths.words) changed")
    }

    private static func comment(
        _ words: [String], _ place: CommentPlace, _ text: String, _ inPullRequest: Bool
    ) -> TriggerVerdict {
        switch place {
        case .pullRequest where !inPullRequest:
            return .ignored(code: "not_pull_request", reason: "the comment is not on a pull request")
        case .issue where inPullRequest:
            return .ignored(code: "not_issue", reason: "the comment is on a pull request, not on an issue")
        case .pullRequest, .issue, .any:
            break
        }
        guard let word = words.first(where: text.contains) else {
            return .ignored(
                code: "comment_filter", reason: "the comment holds none of \(words.joined(separator: ", "))"
            )
        }
        return .matched(reason: "comment with \(word)")
    }

    private static func completion(
        _ name: String, _ branches: BranchFilter, _ conclusions: Set<Outcome>, _ ended: String, _ branch: String?,
        _ outcome: Outcome
    ) -> TriggerVerdict {
        guard name == ended else {
            return .ignored(code: "other_pipeline", reason: "it waits for '\(name)', not for '\(ended)'")
        }
        if !branches.patterns.isEmpty, !branches.admits(branch ?? "") {
            let which = branch.map { "branch '\($0)'" } ?? "a run without a branch"
            return .ignored(code: "branch_filter", reason: "\(which) does not match \(branches.words)")
        }
        guard conclusions.contains(outcome) else {
            let wanted = Outcome.allCases.filter(conclusions.contains).map(\.rawValue).joined(separator: " or ")
            return .ignored(
                code: "conclusion", reason: "'\(ended)' ended \(outcome.rawValue), and only \(wanted) starts this"
            )
        }
        return .matched(reason: "'\(ended)' ended \(outcome.rawValue)" + (branch.map { " on \($0)" } ?? ""))
    }
}
