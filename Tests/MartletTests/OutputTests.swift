import Foundation
import Messages
import Testing

@testable import Martlet

struct OutputTests {
    @Test func `columns stand under one another`() {
        let rows: [JSONValue] = [
            ["name": "churn", "state": "watched", "count": 3], ["name": "a", "state": nil, "count": 12],
        ]
        let table = Table(keys: [("NAME", "name"), ("STATE", "state"), ("COUNT", "count")])
        #expect(
            table.render(rows, empty: "none") == """
                NAME   STATE    COUNT
                churn  watched  3
                a      -        12
                """)
        #expect(table.render([], empty: "none") == "none")
    }

    @Test func `one line of a cell is shown, and long ones are cut`() {
        let table = Table(keys: [("NOTE", "note")])
        #expect(table.render([["note": "first\nsecond"]], empty: "") == "NOTE\nfirst")
        let long = table.render([["note": .string(String(repeating: "x", count: 100))]], empty: "")
        #expect(long.hasSuffix("x…") && long.count == 4 + 1 + 80)
    }

    @Test func `S0-20 a stage with several versions shows all of them`() {
        let models: [JSONValue] = [
            ["model": "m", "latest": 4, "versions": 4, "stages": ["Production": [2, 3], "Staging": [4]]]
        ]
        #expect(
            ModelsCommand.List.text(models) == """
                MODEL  LATEST  VERSIONS  STAGES                    REGISTERED
                m      4       4         Production=2,3 Staging=4  -
                """)
    }

    @Test func `a history says by which decision and approval each version was moved`() {
        let moves: [JSONValue] = [
            [
                "time": "2026-01-31T12:00:00.000Z", "version": 3, "fromStage": nil, "toStage": "production",
                "actor": "user:Kim", "reason": "better", "approval": "a-1",
                "decision": .string("sha256:" + String(repeating: "c0ffee", count: 10)),
            ],
            [
                "time": "2026-01-31T11:00:00.000Z", "version": 2, "fromStage": nil, "toStage": "staging",
                "actor": "user:Kim", "reason": "try", "approval": nil, "decision": nil,
            ],
        ]
        #expect(
            ModelsCommand.History.text(moves) == """
                TIME                 VERSION  FROM  TO          BY        REASON  DECISION             APPROVAL
                2026-01-31 12:00:00  3        -     production  user:Kim  better  sha256:c0ffeec0ffee  a-1
                2026-01-31 11:00:00  2        -     staging     user:Kim  try     -                    -
                """)
    }

    @Test func `an event is one line with what matters`() {
        let event = Envelope(
            id: "1", source: "/martlet/trigger-service", type: "dev.martlet.step.finished.v1", subject: "run/7",
            time: Timestamp(milliseconds: 1_750_000_000_123), partitionkey: "7", causation: .first(actor: "user:x"),
            data: ["run": "7", "job": "train", "step": "fit", "outcome": "failed", "message": "no such file\nmore"])
        #expect(
            EventLine.text(event)
                == "15:06:40.123  step.finished               run/7  job=train step=fit outcome=failed message='no such file'"
        )
    }

    @Test func `a story is told from its beginning, the path of causes marked`() {
        let answer: JSONValue = [
            "about": ["kind": "version", "model": "churn", "version": 2, "stage": "production"], "complete": true,
            "lines": [
                [
                    "time": "2026-01-31T12:00:00.000Z", "text": "Kim pushed c0ffee1", "actor": "user:Kim",
                    "onPath": true,
                ],
                [
                    "time": "2026-01-31T12:00:05.000Z", "text": "training succeeded", "actor": "user:Kim",
                    "onPath": false,
                ],
            ],
        ]
        #expect(
            WhyText.render(answer) == """
                churn version 2 (production), because:
                  2026-01-31
                  12:00:00 * Kim pushed c0ffee1  [user:Kim]
                  12:00:05   training succeeded  [user:Kim]
                  (* the path of causes)
                """)
    }

    @Test func `a verdict says why nothing started`() {
        let verdict: JSONValue = [
            "time": "2026-01-31T12:00:00.000Z", "project": "churn", "pipeline": "train", "code": "branch_filter",
            "reason": "dev is not main", "run": nil, "causeType": "change.pushed", "cause": "e-1",
        ]
        #expect(
            WhyText.verdicts([verdict]) == """
                2026-01-31 12:00:00  churn/train  did not start (branch_filter): dev is not main
                  change.pushed e-1
                """)
    }

    @Test func `an approval names all who set off the run`() {
        var approval: [String: JSONValue] = [
            "id": "a-1", "requester": "user:kim", "otherRequesters": nil, "requesterMayApprove": false, "from": [],
        ]
        let alone = ApprovalText.whole(.object(approval))
        #expect(alone.contains("asked for  user:kim at ") && alone.contains("but not the requester"))
        approval["otherRequesters"] = ["user:ann", "user:lee"]
        let shared = ApprovalText.whole(.object(approval))
        #expect(shared.contains("asked for  user:kim, user:ann, user:lee at "))
        #expect(shared.contains("anybody who may approve, but none of the requesters"))
        #expect(ApprovalsCommand.List.table.render([.object(approval)], empty: "").contains("user:kim, user:ann"))
    }

    @Test func `status says what waits for a person`() {
        let text = StatusText.render([
            "services": [
                ["name": "notifier", "state": "down", "reason": "refused"],
                ["name": "evaluator", "state": "ready", "parked": 2],
                ["name": "deployer", "state": "ready", "parked": 0],
            ],
            "repositories": [
                [
                    "name": "churn", "state": "unreachable", "reason": "no such folder", "url": "/x",
                    "nextAttempt": "2026-01-31T12:00:00.000Z",
                ]
            ],
            "approvals": [["id": "a-1", "project": "churn", "pipeline": "deploy", "environment": "production"]],
            "counts": ["runningRuns": 1, "queuedRuns": 0, "waitingApprovals": 1, "deadLetters": 2],
        ])
        for words in [
            "notifier is down", "churn cannot be read (no such folder)", "martlet approve a-1", "martlet dlq list",
            "runs: 1 running, 0 queued", "evaluator could not handle an event, and later ones of 2 key(s) wait",
        ] { #expect(text.contains(words), "\(words)") }
        #expect(!text.contains("deployer could not"))
    }

    @Test(arguments: [
        ("run.*", "run.finished", true), ("*", "x", true), ("run.finished", "run.finished", true),
        ("run.?inished", "run.finished", true), ("*.finished", "run.started", false), ("run", "run.finished", false),
        ("*a*b*", "xxaxxbxx", true), ("a*", "", false), ("", "", true),
    ])
    func `globs match types`(pattern: String, text: String, matches: Bool) {
        #expect(GlobPattern(pattern).matches(text) == matches)
    }

    @Test func `where a tail begins`() throws {
        #expect(try TailStart([]) == TailStart([]))
        #expect(try TailStart(["start"]).fromStart)
        #expect(try TailStart(["2026-01-31T12:00:00Z"]).time?.text == "2026-01-31T12:00:00.000Z")
        #expect(try TailStart(["console:7", "ingest:0"]).numbers == [.console: 7, .ingest: 0])
        #expect(throws: (any Error).self) { try TailStart(["console:-1"]) }
    }
}
