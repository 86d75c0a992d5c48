import Messages
import Testing

@testable import TriggerService

/// Comments, as each forge tells of them.
struct CommentPayloadTests {
    private let onlyNew = "only new comments start something"

    @Test func `GitLab: a comment on a merge request or an issue; an edited one starts nothing`() throws {
        let merge = try GitLabPayload.read(try Recorded.payload("gitlab/note_merge_request.json"))
        #expect(merge.event == "note.create")
        #expect(merge.addresses.first == "http://example.com/gitlab-org/gitlab-test.git")
        #expect(
            merge.changes == [
                .commented(
                    CommentNews(
                        number: 1, inPullRequest: true, text: "This MR needs work.", author: "root",
                        sha: "562e173be03b8ff2efb05345d12df18815438a4b",
                        page: "http://example.com/gitlab-org/gitlab-test/merge_requests/1#note_1244"))
            ])
        let issue = try GitLabPayload.read(try Recorded.payload("gitlab/note_issue.json"))
        #expect(
            issue.changes == [
                .commented(
                    CommentNews(
                        number: 17, inPullRequest: false, text: "Hello world", author: "user1",
                        page: "http://example.com/gitlab-org/gitlab-test/issues/17#note_1241"))
            ])
        let edited = try GitLabPayload.read(
            try Recorded.payload("gitlab/note_merge_request.json", "object_attributes", ["action": "update"]))
        #expect(edited.changes.isEmpty && edited.nothing == onlyNew && edited.event == "note.update")
        // Older ones do not say what was done to it, and tell of new ones only.
        let older = try GitLabPayload.read(
            try Recorded.payload("gitlab/note_merge_request.json", "object_attributes", ["action": .null]))
        #expect(older.changes == merge.changes)
    }

    @Test(arguments: [
        ("pull_request_comment", "pull-request-comment-event.json", 2, true, "pulls/2#issuecomment-6"),
        ("issue_comment", "pull-request-comment-event.json", 2, true, "pulls/2#issuecomment-6"),
        ("issue_comment", "issue-comment-event.json", 1, false, "issues/1#issuecomment-2"),
    ]) func `Gitea: a comment on a pull request or an issue; an edited or deleted one starts nothing`(
        event: String, file: String, number: Int, inPullRequest: Bool, page: String
    ) throws {
        let json = try Recorded.json("gitea/\(file)")
        let reading = try GitHubPayload.read(event, Payload(json))
        #expect(reading.event == "\(event).created")
        #expect(reading.addresses.first == "http://localhost:3000/example/example.git")
        #expect(
            reading.changes == [
                .commented(
                    CommentNews(
                        number: number, inPullRequest: inPullRequest, text: "example", author: "example",
                        page: "http://localhost:3000/example/example/\(page)"))
            ])
        for action in ["edited", "deleted"] {
            let other = try GitHubPayload.read(event, Payload(json.replacing("action", .string(action))))
            #expect(other.changes.isEmpty && other.nothing == onlyNew)
        }
    }

    @Test func `Azure DevOps: a comment on a pull request; an edited or deleted one starts nothing`() throws {
        let file = "azure-devops/git-pullrequest-comment-event.json"
        let reading = try AzureDevOpsPayload.read(try Recorded.payload(file))
        #expect(reading.event == "ms.vss-code.git-pullrequest-comment-event")
        #expect(reading.addresses.contains("https://dev.azure.com/dependabot/Core/_git/dependabot-sample"))
        #expect(
            reading.changes == [
                .commented(
                    CommentNews(
                        number: 22568, inPullRequest: true, text: "Deployment to your Review App succeeded.",
                        author: "dependabot@tingle.software", sha: "6258a2efa589c277ed97e3246b6a59faf0e29859"))
            ])
        let edited = try AzureDevOpsPayload.read(
            try Recorded.payload("azure-devops/git-pullrequest-comment-event.edited.json"))
        #expect(edited.changes.isEmpty && edited.nothing == onlyNew && !edited.addresses.isEmpty)
        let comment = try Recorded.json(file)["resource"]?["comment"] ?? [:]
        // What is deleted has no text any more.
        let gone = comment.replacing("isDeleted", true).replacing("content", .null)
        let deleted = try AzureDevOpsPayload.read(try Recorded.payload(file, "resource", ["comment": gone]))
        #expect(deleted.changes.isEmpty && deleted.nothing == onlyNew)
    }
}
