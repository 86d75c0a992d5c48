import Messages
import Testing

@testable import Notifier

struct PatternTests {
    @Test(arguments: [
        ("run.finished", true), ("run.failed", true), ("run.*", true), ("*", true), ("run.succeeded", false),
        ("run.started", false), ("step.failed", false), ("runs.*", false), ("dev.martlet.run.finished.v1", true),
    ])
    func `a failed run is meant by its name, its ending and its subject`(word: String, expected: Bool) {
        #expect(EventPattern(word).matches(event(runFinished(.failed))) == expected)
    }

    @Test func `not_promoted is an ending of its own, and no failure`() {
        let lost = event(runFinished(.notPromoted))
        #expect(EventPattern("run.not_promoted").matches(lost))
        #expect(!EventPattern("run.failed").matches(lost))
    }

    @Test func `an approval ends with its result`() {
        let rejected = event(
            ApprovalFinished(approval: "a", run: "r1", job: "deploy", environment: "prod", result: .rejected))
        #expect(EventPattern("approval.rejected").matches(rejected))
        #expect(!EventPattern("approval.granted").matches(rejected))
    }

    @Test func `a smoke test passes or fails`() {
        let passed = event(
            SmokeTestFinished(
                deployment: "d", endpoint: "api", model: "risk", version: 1, outcome: .succeeded, attempts: 1,
                message: ""))
        #expect(EventPattern("smoke_test.passed").matches(passed))
        #expect(!EventPattern("smoke_test.failed").matches(passed))
    }

    @Test func `a rule for one pipeline is silent about the others`() {
        let rule = slackRule(["run.*"], pipelines: ["deploy"])
        #expect(!rule.wants(event(runFinished(.failed)), of: "train"))
        #expect(rule.wants(event(runFinished(.failed)), of: "deploy"))
    }
}
