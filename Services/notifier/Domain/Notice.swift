import Messages

/// What people read: who did what, why, and where to look. The channels render it.
struct Notice: Hashable, Sendable, Codable {
    var headline: String
    var details: [String] = []
    var url: String?

    /// One text for channels without markup.
    var plain: String { ([headline] + details + [url].compactMap(\.self)).joined(separator: "\n") }
}

/// Turns events into notices.
struct NoticeWriter: Sendable {
    /// Of the run that the event belongs to; `nil` for events of no run.
    var place: RunPlace?
    var project: String
    /// Of the console, without a slash at its end.
    var consoleURL: String

    /// - Throws: `DecodingError` when the body is not what its type says.
    func notice(for envelope: Envelope) throws -> Notice {
        let notice =
            try runNotice(envelope) ?? approvalNotice(envelope) ?? modelNotice(envelope) ?? deploymentNotice(envelope)
            ?? projectNotice(envelope)
            ?? Notice(headline: "\(project): \(shortEventName(envelope.type)) (\(envelope.subject))")
        return finished(notice)
    }

    private func finished(_ notice: Notice) -> Notice {
        var notice = notice
        if let place {
            if let advice = place.advice { notice.details.append(advice) }
            if let commit = place.commitText { notice.details.append(commit) }
            notice.url = "\(consoleURL)/runs/\(place.run)"
        }
        return notice
    }

    /// `diabetes Model-Deploy-CD #7`.
    var runName: String {
        place.map { "\($0.project) \($0.pipeline) #\($0.number)" } ?? project
    }

    private func projectNotice(_ envelope: Envelope) throws -> Notice? {
        if let body = try envelope.body(ProjectRejected.self) {
            let request = body.pullRequest.map { "pull request #\($0), " } ?? ""
            let whose = "\(request)\(body.sha.prefix(10))"
            return Notice(
                headline: "\(project): the project file of \(whose) has errors, nothing was started",
                details: body.errors.map(\.description))
        }
        if let body = try envelope.body(ProjectRetired.self) {
            return Notice(
                headline: "\(project): commit \(body.sha.prefix(10)) calls it '\(body.successor)' from now on")
        }
        if let body = try envelope.body(ChangePushed.self) {
            return Notice(
                headline: "\(project): \(body.author) pushed \(body.sha.prefix(10)) to \(body.branch)",
                details: [body.message])
        }
        if let body = try envelope.body(RepositoryUnreachable.self) {
            return Notice(
                headline: "\(project): repository \(body.repository) cannot be read",
                details: [body.reason, "tried \(body.attempts) times, next try \(body.nextAttempt.text)"])
        }
        if try envelope.body(NotificationTestRequested.self) != nil {
            return Notice(
                headline: "\(project): a test message from Martlet", details: ["asked for by \(envelope.actor)"])
        }
        return nil
    }
}

extension RunPlace {
    fileprivate var commitText: String? {
        guard let sha else { return nil }
        let quoted = commit.map { " \"\($0)\"" } ?? ""
        return "Commit \(sha.prefix(10))\(quoted) on \(branch ?? "?"), by \(requester)"
    }
}
