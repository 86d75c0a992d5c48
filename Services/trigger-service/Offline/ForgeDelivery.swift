import Foundation
import Messages

/// A forge's payload as it was delivered, read by the service's own code: an event of ours for each change in it.
struct ForgeDelivery {
    let drafts: [EventDraft]
    /// What is to be said where nothing in it starts anything.
    let idle: JSONValue?

    /// - Parameters:
    ///   - headers: as they were sent; names in small letters.
    ///   - kind: what the forge's own header would say, where it is not among them.
    init(_ body: Data, _ forge: Forge, headers: [(name: String, value: String)], kind: String?) throws {
        var headers = headers
        if let kind {
            guard let name = forge.kindHeader else {
                throw Refusal("a payload of \(forge.rawValue) says itself what it is: leave --kind out")
            }
            headers.append((name.lowercased(), kind))
        }
        let known = headers
        let header: @Sendable (String) -> String? = { name in known.last { $0.name == name.lowercased() }?.value }
        if let name = forge.kindHeader, header(name) == nil {
            throw Refusal(
                "a payload of \(forge.rawValue) does not say what it is: add --kind with what \(name) says,"
                    + " for example push, pull_request, issue_comment or release")
        }
        let proof = WebhookProof(forge: forge, header: header, body: body, now: 0)
        let payload = try proof.payload()
        let reading = try proof.reading(payload)
        let reference = proof.delivery(payload, reading).reference
        let found = reading.changes.flatMap { Self.drafts($0, forge, payload) }
        drafts = found.enumerated().map { index, draft in
            var draft = draft
            draft.id = found.count == 1 ? reference : "\(reference)#\(index + 1)"
            return draft
        }
        guard found.isEmpty else {
            idle = nil
            return
        }
        idle = [
            "type": .string("webhook.\(forge.rawValue).\(reading.event)"), "id": .string(reference), "event": .null,
            "pipelines": [], "note": .string(reading.nothing ?? "the end of a tag starts nothing"),
        ]
    }

    private static func drafts(_ change: ForgeChange, _ forge: Forge, _ payload: Payload) -> [EventDraft] {
        switch change {
        case .pushed(let ref, let after): return pushed(ref, after, forge, payload)
        case .pullRequest(let news):
            let request = PullRequest(news, fork: news.fork)
            var data: [String: JSONValue] = ["pullRequest": (try? Wire.tree(request)) ?? .null]
            let type: String
            switch news.action {
            case .opened, .updated:
                type = news.action == .opened ? PullRequestOpened.eventType : PullRequestUpdated.eventType
                data["sha"] = .string(news.sha)
            case .merged:
                type = PullRequestMerged.eventType
                data["merged"] = news.merged.map(JSONValue.string)
            case .closed: type = PullRequestClosed.eventType
            }
            return [draft(type, forge.actor(news.author), data)]
        case .commented(let news):
            var data: [String: JSONValue] = [
                "number": .int(news.number), "inPullRequest": .bool(news.inPullRequest), "text": .string(news.text),
                "author": .string(news.author),
            ]
            data["association"] = news.association.map(JSONValue.string)
            data["sha"] = news.sha.map(JSONValue.string)
            data["page"] = news.page.map(JSONValue.string)
            return [draft(Commented.eventType, forge.actor(news.author), data)]
        case .released(let news):
            var data: [String: JSONValue] = [
                "tag": .string(news.tag), "title": .string(news.title), "author": .string(news.author),
                "prerelease": .bool(news.prerelease),
            ]
            data["page"] = news.page.map(JSONValue.string)
            return [draft(ReleasePublished.eventType, forge.actor(news.author), data)]
        }
    }

    /// The service knows from git where a branch was before; here the forge's word has to do.
    private static func pushed(
        _ ref: String, _ after: String?, _ forge: Forge, _ payload: Payload
    ) -> [EventDraft] {
        let before = before(ref, forge, payload)
        let isNew = before.map { $0.allSatisfy { $0 == "0" } } ?? false
        let actor = forge.actor("")
        switch (NamedReference(ref), after) {
        case (.branch(let branch)?, nil):
            return [draft(BranchDeleted.eventType, actor, ["branch": .string(branch)])]
        case (.branch(let branch)?, let after?):
            var data: [String: JSONValue] = ["branch": .string(branch), "sha": .string(after)]
            if !isNew { data["before"] = before.map(JSONValue.string) }
            var push = draft(ChangePushed.eventType, actor, data)
            push.isNewBranch = isNew
            let created = draft(
                BranchCreated.eventType, actor, ["branch": .string(branch), "sha": .string(after)])
            return isNew ? [created, push] : [push]
        case (.tag(let tag)?, let after?):
            return [draft(TagCreated.eventType, actor, ["tag": .string(tag), "sha": .string(after)])]
        case (.tag?, nil), (nil, _): return []
        }
    }

    private static func before(_ ref: String, _ forge: Forge, _ payload: Payload) -> String? {
        guard forge == .azureDevOps else { return payload.optional("before") }
        let updates = (try? payload["resource"].items("refUpdates")) ?? []
        return updates.first { $0.optional("name") == ref }?.optional("oldObjectId")
    }

    private static func draft(_ type: String, _ actor: String, _ data: [String: JSONValue]) -> EventDraft {
        EventDraft(type: type, id: "", actor: actor, data: data)
    }
}

extension Forge {
    /// The header that says what a payload is; `nil` where the payload does.
    fileprivate var kindHeader: String? {
        switch self {
        case .github: "X-GitHub-Event"
        case .gitea: "X-Gitea-Event"
        case .gitlab, .azureDevOps: nil
        }
    }
}
