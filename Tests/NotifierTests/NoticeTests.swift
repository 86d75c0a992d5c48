import Foundation
import Messages
import Testing

@testable import Notifier

struct NoticeTests {
    let writer = NoticeWriter(
        place: RunPlace(runQueued("r1"), actor: "user:ada"), project: "diabetes", consoleURL: "http://console")

    @Test func `C-18 a failure names the run, the failing step, the reason, the commit and the link`() throws {
        let notice = try writer.notice(for: event(runFinished(.failed, message: "exit code 1\nno such file")))
        #expect(notice.headline == "diabetes train #2 failed after 12 s")
        #expect(
            notice.details == [
                "Failing step: train/fit", "exit code 1\nno such file",
                "Commit 0123456789 \"Try alpha 10\" on main, by user:ada",
            ])
        #expect(notice.url == "http://console/runs/r1")
    }

    @Test func `S2-18 a lost evaluation keeps its words and both numbers`() throws {
        let message = "Current Production model mse: 3379.4, New trained model mse: 4404.7"
        let notice = try writer.notice(for: event(runFinished(.notPromoted, message: message)))
        #expect(notice.headline.contains("ended not_promoted"))
        #expect(notice.plain.contains(message))
    }

    @Test func `S3-19 a stage change names who took whose place`() throws {
        let notice = try writer.notice(for: event(stageChanged(run: "r1")))
        #expect(notice.headline == "risk version 3: no stage → production")
        #expect(notice.details.prefix(2) == ["version 1: production → surpassed", "Why: approved by grace"])
    }

    @Test func `D.1 a project file with errors is told with all of them, and whose it is`() throws {
        let errors = (1...20).map { FileError(file: "martlet.yml", line: $0, column: 3, message: "unknown key") }
        let writer = NoticeWriter(place: nil, project: "diabetes", consoleURL: "http://console")
        func notice(_ number: Int?) throws -> Notice {
            try writer.notice(
                for: event(
                    ProjectRejected(
                        repository: "diabetes", sha: "0123456789abcdef", errors: errors, pullRequest: number)))
        }
        #expect(try notice(7).details == errors.map(\.description))
        #expect(try notice(7).headline.contains("the project file of pull request #7, 0123456789 has errors"))
        #expect(try notice(nil).headline.contains("the project file of 0123456789 has errors"))
    }

    @Test func `an approval says how to give it`() throws {
        let body = ApprovalRequested(
            approval: "a1", run: "r1", job: "deploy", project: "diabetes", pipeline: "train", environment: "prod",
            required: 1, from: [], requester: "user:ada", requesterMayApprove: false, model: "risk", version: "3",
            expires: Timestamp(milliseconds: 0))
        let notice = try writer.notice(for: event(body))
        #expect(notice.headline == "diabetes train #2: risk version 3 waits for approval to prod")
        #expect(notice.details.contains("martlet approve a1"))
        #expect(notice.plain.contains("not user:ada"))
        var shared = body
        shared.otherRequesters = ["user:kim", "user:lee"]
        #expect(try writer.notice(for: event(shared)).plain.contains("not user:ada or user:kim or user:lee, until"))
    }

    @Test func `every event of the suite can be told`() throws {
        for body in allEventBodies where body.source != .notifier {
            let envelope = Envelope(
                id: "x", source: "/martlet/test", type: body.eventType, subject: "thing/1",
                time: Timestamp(milliseconds: 0),
                partitionkey: "k", causation: .first(actor: "user:ada"), data: .object([:]))
            // An empty body is refused as undecodable by those that have a text of their own; the rest are named.
            if let notice = try? writer.notice(for: envelope) { #expect(notice.headline.contains("thing/1")) }
        }
    }

    @Test func `what Slack reads as markup is escaped`() {
        let text = SlackText(Notice(headline: "a < b & c > d", details: ["<!channel>"], url: "http://x/?a=1&b=2")).text
        #expect(text == "*a &lt; b &amp; c &gt; d*\n&lt;!channel&gt;\n<http://x/?a=1&amp;b=2|Open the run>")
    }

    @Test(arguments: [("0192-ab", "*h*\n`martlet why 0192-ab`"), ("a`b", "*h*"), ("$(reboot)", "*h*"), ("", "*h*")])
    func `a message says what to ask about it, in plain letters`(subject: String, expected: String) {
        #expect(SlackText(Notice(headline: "h", details: []), about: subject).text == expected)
    }

    @Test func `a long log is cut, and says so`() {
        let text = SlackText(Notice(headline: "h", details: [String(repeating: "x", count: 9000)])).text
        #expect(text.count < 3100)
        #expect(text.hasSuffix("… (cut)"))
    }

    @Test func `a webhook's path stays out of events`() {
        let recipient = Recipient.slackURL("https://hooks.slack.com/services/T/B/secret")
        #expect(recipient.name == "slack:hooks.slack.com")
    }
}
