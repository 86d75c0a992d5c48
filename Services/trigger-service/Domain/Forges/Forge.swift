import Foundation
import Messages

/// Who sends webhooks.
enum Forge: String, Sendable, Hashable, CaseIterable, Codable {
    case github, gitlab, gitea
    case azureDevOps = "azure-devops"

    /// The secret of the repositories that name none of their own: `WEBHOOK_GITHUB`.
    var secret: String { "WEBHOOK_" + rawValue.uppercased().replacingOccurrences(of: "-", with: "_") }

    /// Who acted there, as events name them.
    func actor(_ name: String) -> String {
        name.isEmpty ? "service:\(rawValue)" : "user:\(name.shortened(to: 200))"
    }

    static let list = allCases.map(\.rawValue).joined(separator: ", ")

    /// Whose headers these are; `nil` for nobody's, as Azure DevOps has none.
    ///
    /// Gitea and Forgejo send GitHub's headers beside their own, so they are looked for first.
    static func detect(_ header: (String) -> String?) -> Forge? {
        if header("X-Gitea-Event") ?? header("X-Forgejo-Event") != nil { return .gitea }
        if header("X-Gitlab-Event") != nil { return .gitlab }
        if header("X-GitHub-Event") != nil { return .github }
        return nil
    }
}

/// What a forge tells of, in one form for all of them. What git can tell (changed files, authors) is not taken from it.
enum ForgeChange: Sendable, Hashable, Codable {
    /// A branch or tag; `after` is `nil` where it was deleted.
    case pushed(ref: String, after: String?)
    case pullRequest(PullRequestNews)
    case commented(CommentNews)
    case released(ReleaseNews)
}

struct PullRequestNews: Sendable, Hashable, Codable {
    enum Action: String, Sendable, Hashable, Codable {
        case opened, updated, merged, closed
    }

    var action: Action
    var number: Int
    var title: String
    var author: String
    var source: String
    var target: String
    var sha: String
    /// It comes from another repository.
    var fork: Bool
    /// The commit that it became.
    var merged: String?
    var page: String?
}

struct CommentNews: Sendable, Hashable, Codable {
    var number: Int
    var inPullRequest: Bool
    var text: String
    var author: String
    var association: String?
    /// The pull request's newest commit, where the forge says it.
    var sha: String?
    var page: String?
}

struct ReleaseNews: Sendable, Hashable, Codable {
    var tag: String
    var title: String
    var author: String
    var prerelease: Bool
    var page: String?
}

/// A payload, read.
struct ForgeReading: Sendable, Hashable {
    /// `push`, `pull_request.opened`, as the forge calls it.
    var event: String
    /// Under which the forge knows the repository.
    var addresses: [String]
    var changes: [ForgeChange]
    /// Why there are no changes: a kind of event that starts nothing.
    var nothing: String?

    init(_ event: String, _ addresses: [String], _ changes: [ForgeChange], nothing: String? = nil) {
        self.event = event
        self.addresses = addresses
        self.changes = changes
        self.nothing = nothing
    }
}
