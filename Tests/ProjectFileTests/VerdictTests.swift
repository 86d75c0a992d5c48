import Messages
@testable import ProjectFile
import Testing

struct VerdictTests {
    private static let text = """
        martlet: 1
        project: diabetes
        model: { stages: { preset: trunk } }
        pipelines:
          ci:
            on: { push: { branches: [main, 'release/**'], paths: [diabetes/, '**.toml'] } }
            jobs: &jobs { j: { steps: [ { run: x } ] } }
          cd:
            on:
              pipeline: { name: ci, branches: [main] }
              manual: {}
            jobs: *jobs
          lost:
            on: { pipeline: { name: ci, conclusion: not_promoted } }
            jobs: *jobs
          promote:
            on: { model: { stage: { to: staged } } }
            jobs: *jobs
          evaluate:
            on: { model: { registered: true } }
            jobs: *jobs
          chat:
            on: { comment: { in: pull_request, match: [/build, /train] }, tag: { match: ['v*'] } }
            jobs: *jobs
          outside:
            on: { event: { type: com.acme.data.arrived, where: { data.rows.kind: [full, daily] } } }
            jobs: *jobs
          loose:
            on: { push: {} }
            jobs: *jobs
          free:
            jobs: *jobs
        """

    private func verdict(_ cause: CauseFacts, _ pipeline: String) throws -> TriggerVerdict {
        try project(Self.text).verdict(for: cause, pipeline: pipeline)
    }

    private func push(_ branch: String, _ paths: [String], truncated: Bool = false) -> CauseFacts {
        .push(branch: branch, paths: paths, pathsTruncated: truncated)
    }

    @Test func `S2-1 a push that touches the folder on the branch starts it, and says which file`() throws {
        #expect(
            try verdict(push("main", ["README.md", "diabetes/train.py", "diabetes/x/y.py"]), "ci")
                == .matched(reason: "push to main changed diabetes/train.py and 1 more"))
        #expect(
            try verdict(push("release/1/a", ["a/b.toml"]), "ci")
                == .matched(reason: "push to release/1/a changed a/b.toml"))
        #expect(try verdict(push("x", []), "loose") == .matched(reason: "push to x"))
    }

    @Test func `S1-4 a push elsewhere does not, and says why`() throws {
        #expect(
            try verdict(push("main", ["README.md"]), "ci")
                == .ignored(code: "path_filter", reason: "no file under diabetes/ or matching **.toml changed"))
        #expect(
            try verdict(push("dev", ["diabetes/train.py"]), "ci")
                == .ignored(code: "branch_filter", reason: "branch 'dev' does not match main, release/**"))
        #expect(
            try verdict(push("main", ["diabetes/train.py"]), "cd")
                == .ignored(code: "no_trigger", reason: "'cd' has no 'push' under 'on:'; it starts on pipeline, manual")
        )
        #expect(
            try verdict(push("main", []), "free")
                == .ignored(code: "no_trigger", reason: "'free' has no 'push' under 'on:'; it is started by hand only"))
        #expect(
            try verdict(push("main", []), "gone")
                == .ignored(code: "no_pipeline", reason: "the project file has no pipeline 'gone'"))
    }

    @Test func `a change larger than its list rather starts once too often`() throws {
        #expect(
            try verdict(push("main", ["a"], truncated: true), "ci")
                == .matched(reason: "push to main changed more files than are listed"))
    }

    private static let completions: [(Outcome, String, String, TriggerVerdict)] = [
        (Outcome.succeeded, "main", "cd", TriggerVerdict.matched(reason: "'ci' ended succeeded on main")),
        (
            .notPromoted, "main", "cd",
            .ignored(code: "conclusion", reason: "'ci' ended not_promoted, and only succeeded starts this")
        ),
        (
            .failed, "main", "cd",
            .ignored(code: "conclusion", reason: "'ci' ended failed, and only succeeded starts this")
        ),
        (.succeeded, "dev", "cd", .ignored(code: "branch_filter", reason: "branch 'dev' does not match main")),
        (.notPromoted, "dev", "lost", .matched(reason: "'ci' ended not_promoted on dev")),
        (
            .succeeded, "dev", "lost",
            .ignored(code: "conclusion", reason: "'ci' ended succeeded, and only not_promoted starts this")
        ),
    ]

    @Test(arguments: completions)
    func `S2-20 a completion starts what follows it, and not_promoted is no success`(
        outcome: Outcome, branch: String, pipeline: String, expected: TriggerVerdict
    ) throws {
        #expect(try verdict(.pipelineFinished(pipeline: "ci", branch: branch, outcome: outcome), pipeline) == expected)
    }

    @Test func `a completion of another pipeline starts nothing`() throws {
        #expect(
            try verdict(.pipelineFinished(pipeline: "free", branch: "main", outcome: .succeeded), "cd")
                == .ignored(code: "other_pipeline", reason: "it waits for 'ci', not for 'free'"))
    }

    @Test func `S3-12 a registered version and a change of stage start what waits for them`() throws {
        #expect(
            try verdict(.modelRegistered(model: "diabetes"), "evaluate")
                == .matched(reason: "a version of diabetes was registered"))
        #expect(
            try verdict(.modelRegistered(model: "other"), "evaluate")
                == .ignored(code: "other_model", reason: "'other' is not diabetes"))
        #expect(try verdict(.modelRegistered(model: "diabetes"), "promote").isMatch == false)
        #expect(
            try verdict(.modelStageChanged(model: "diabetes", from: nil, to: "staged"), "promote")
                == .matched(reason: "a version of diabetes went from none to staged"))
        #expect(
            try verdict(.modelStageChanged(model: "diabetes", from: "staged", to: nil), "promote")
                == .ignored(code: "stage_filter", reason: "diabetes went to none, not to staged"))
    }

    @Test func `a person starts what is declared manual`() throws {
        #expect(try verdict(.manual(pipeline: "cd"), "cd") == .matched(reason: "asked for by name"))
        #expect(try verdict(.manual(pipeline: "free"), "free").isMatch)
        #expect(
            try verdict(.manual(pipeline: "ci"), "ci")
                == .ignored(code: "no_trigger", reason: "'ci' is not started by hand: it has no 'manual' under 'on:'"))
        #expect(
            try verdict(.manual(pipeline: "ci"), "cd") == .ignored(code: "other_pipeline", reason: "'ci' was asked for")
        )
    }

    @Test func `S1-3 comments, tags and outside events are filtered`() throws {
        #expect(
            try verdict(.comment(text: "now /train it", inPullRequest: true), "chat")
                == .matched(reason: "comment with /train"))
        #expect(
            try verdict(.comment(text: "hello", inPullRequest: true), "chat")
                == .ignored(code: "comment_filter", reason: "the comment holds none of /build, /train"))
        #expect(try verdict(.comment(text: "/train", inPullRequest: false), "chat").isMatch == false)
        #expect(try verdict(.tag("v1.0"), "chat") == .matched(reason: "tag v1.0"))
        #expect(
            try verdict(.event(type: "com.acme.data.arrived", data: ["rows": ["kind": "full"]]), "outside")
                == .matched(reason: "event com.acme.data.arrived"))
        #expect(
            try verdict(.event(type: "com.acme.data.arrived", data: ["rows": ["kind": "tiny"]]), "outside")
                == .ignored(code: "event_filter", reason: "rows.kind is 'tiny', not full or daily"))
    }

    @Test(arguments: [
        ("", true, "matched"), ("", false, "not_pull_request"), (", in: pull_request", false, "not_pull_request"),
        (", in: issue", false, "matched"), (", in: issue", true, "not_issue"), (", in: any", true, "matched"),
        (", in: any", false, "matched"),
    ])
    func `S1-3 a comment counts where it is asked for`(place: String, inPullRequest: Bool, code: String) throws {
        let listening = try project(
            file(
                pipeline: "on: { comment: { match: /go\(place) } }\njobs: { j: { steps: [ { run: x } ] } }"))
        let verdict = listening.verdict(for: .comment(text: "/go", inPullRequest: inPullRequest), pipeline: "p")
        switch verdict {
        case .matched: #expect(code == "matched")
        case .ignored(let told, _): #expect(told == code)
        case .contributes: Issue.record("there is nothing to wait for")
        }
    }

    @Test(arguments: [
        ("{ source: /acme/lake }", true), ("{ source: /acme/pond }", false), ("{ subject: [a, churn] }", true),
        ("{ actor: 'service:lake', data.kind: full }", true), ("{ data.source: pond, kind: full }", true),
        ("{ data.source: /acme/lake }", false), ("{ id: '7' }", true), ("{ data.id: '7' }", false),
    ])
    func `T13 a filter asks for attributes of the event, and for anything in its data`(
        filter: String, holds: Bool
    ) throws {
        let listening = try project(
            file(
                pipeline: "on: { event: { type: t, where: \(filter) } }\njobs: { j: { steps: [ { run: x } ] } }"))
        let cause = CauseFacts.event(
            type: "t", data: ["kind": "full", "source": "pond"],
            attributes: ["id": "7", "source": "/acme/lake", "subject": "churn", "actor": "service:lake"])
        #expect(listening.verdict(for: cause, pipeline: "p").isMatch == holds)
    }

    @Test(
        arguments: [
            ("{ source: /acme/lake, subject: churn, actor: 'user:ann', type: t, data.id: 7 }", nil),
            ("{ id: 7 }", "id"), ("{ time: '10:00' }", "time"), ("{ subject: [churn, 7] }", "subject"),
            ("{ source: [/acme/lake, crm] }", "source"), ("{ actor: ann }", "actor"),
        ] as [(String, String?)])
    func `T13 a filter by an attribute that may mean a field of the data is warned of`(
        filter: String, attribute: String?
    ) throws {
        let body = "on: { event: { type: t, where: \(filter) } }\njobs: { j: { steps: [ { run: x } ] } }"
        let warnings = try project(file(pipeline: body)).warnings.map { "\($0.line):\($0.column): \($0.message)" }
        let told = attribute.map { name in
            "5:38: '\(name)' is the event's own \(name); a field of its data is written 'data.\(name)'"
        }
        #expect(warnings == [told].compactMap(\.self))
    }
}
