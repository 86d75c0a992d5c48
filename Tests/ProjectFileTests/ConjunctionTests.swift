import Messages
@testable import ProjectFile
import Testing

private let ok = "jobs: { j: { steps: [ { run: x } ] } }"

struct ConjunctionTests {
    private static let text = """
        martlet: 1
        project: churn
        model: { stages: { preset: trunk } }
        pipelines:
          tests:
            on: push
            \(ok)
          retrain:
            on:
              all:
                of:
                  data: { event: { type: com.acme.data.arrived }, by: "${{ event.data.commit }}" }
                  tests: { pipeline: tests }
                  night: { schedule: '@daily' }
                by: ${{ git.sha }}
                within: 6h
              model: { stage: production }
            \(ok)
        """

    private func conjunction(_ text: String = text) throws -> Conjunction {
        let pipeline = try #require(try project(text).pipeline("retrain"))
        return try #require(
            pipeline.triggers.compactMap { trigger -> Conjunction? in
                if case .all(let conjunction) = trigger { conjunction } else { nil }
            }.first)
    }

    @Test func `T12 several events are declared by names, in the order of the file`() throws {
        let conjunction = try conjunction()
        #expect(conjunction.parts.map(\.name) == ["data", "tests", "night"])
        #expect(conjunction.parts.map(\.trigger.word) == ["event", "pipeline", "schedule"])
        #expect(conjunction.within == .seconds(6 * 3600))
        let pipeline = try #require(try project(Self.text).pipeline("retrain"))
        // Its schedule ticks like any other.
        #expect(pipeline.schedules.map(\.cron.text) == ["@daily"])
    }

    private static let belonging: [(String, JSONValue, String?)] = [
        ("data", ["data": ["commit": "c1"]], "c1"), ("data", [:], nil), ("tests", [:], "c0"),
    ]

    @Test(arguments: belonging)
    func `C-13 what belongs together is told by each part's own field, or by that of all`(
        part: String, event: JSONValue, expected: String?
    ) throws {
        var scope = Scope()
        (scope.event, scope.git) = (event, ["sha": "c0"])
        #expect(try conjunction().correlation(of: part, in: scope) == expected)
    }

    @Test func `without anything to belong together by all events do, and wait a day`() throws {
        let plain = try conjunction(
            Self.text.replacing("        by: ${{ git.sha }}\n", with: "").replacing(
                ", by: \"${{ event.data.commit }}\"", with: ""
            ).replacing("        within: 6h\n", with: ""))
        #expect(try plain.correlation(of: "data", in: Scope()) == "" && plain.within == .seconds(86_400))
    }

    @Test(arguments: [
        ("within: 6h", "within: 7h", true), ("tests: { pipeline: tests }", "\"tests\": { 'pipeline': tests }", true),
        ("@daily", "@hourly", false), ("by: ${{ git.sha }}", "by: ${{ git.branch }}", false),
        ("{ pipeline: tests }", "{ pipeline: { name: tests, conclusion: any } }", false),
    ])
    func `a set is that of its declaration, whatever the layout`(old: String, new: String, same: Bool) throws {
        let changed = try conjunction(Self.text.replacing(old, with: new))
        #expect(try (changed.digest == conjunction().digest) == same)
    }

    private static let verdicts: [(CauseFacts, [String], String)] = [
        (.event(type: "com.acme.data.arrived", data: [:]), ["data"], ""),
        (.pipelineFinished(pipeline: "tests", branch: "main", outcome: .succeeded), ["tests"], ""),
        (.tick(pipeline: "retrain", cron: "@daily"), ["night"], ""),
        (.pipelineFinished(pipeline: "tests", branch: "main", outcome: .failed), [], "conclusion"),
        (.event(type: "com.acme.other", data: [:]), [], "event_type"),
        (.push(branch: "main", paths: [], pathsTruncated: false), [], "no_trigger"),
        // By itself, beside the set.
        (.modelStageChanged(model: "churn", from: nil, to: "production"), [], "matched"),
    ]

    @Test(arguments: verdicts)
    func `T12 an event that is one of several contributes, and another has its reason`(
        cause: CauseFacts, parts: [String], code: String
    ) throws {
        switch try project(Self.text).verdict(for: cause, pipeline: "retrain") {
        case .contributes(let contribution): #expect(contribution.parts.map(\.name) == parts)
        case .ignored(let found, _): #expect(parts.isEmpty && found == code)
        case .matched: #expect(code == "matched")
        }
    }

    @Test func `what it starts on is told in words`() throws {
        let verdict = try project(Self.text).verdict(for: .tag("v1"), pipeline: "retrain")
        #expect(
            verdict
                == .ignored(
                    code: "no_trigger",
                    reason: "'retrain' has no 'tag' under 'on:'; it starts on event and pipeline and schedule, model"))
    }

    @Test(arguments: [
        ("all: {}", ["5:16: 'all' needs 'of': what it waits for, each under a name of your choice"]),
        ("all: { of: { a: { push: } } }", ["5:22: 'of' is a map of 2 to 10 names, each with what is waited for"]),
        ("all: { of: [push, tag] }", ["5:22: 'of' is a map of 2 to 10 names, each with what is waited for"]),
        (
            "all: { of: { a: { push: {}, tag: {} }, b: {}, c.d: { push: {} } } }",
            [
                "5:24: 'a' is one of push, pull_request, tag, comment, pipeline, model, event, schedule, not 2 of them:"
                    + " give each a name of its own",
                "5:50: 'b' is one of push, pull_request, tag, comment, pipeline, model, event, schedule",
                "5:57: 'c.d' is no name for an event: a letter first, then letters, digits, '_', '-'",
            ]
        ),
        (
            "all: { of: { a: { manual: {} }, b: { push: [{}] }, c: { evnt: {} } }, within: 0s, bye: x }",
            [
                "5:29: unknown key 'manual' in 'a'; there are push, pull_request, tag, comment, pipeline, model, event,"
                    + " schedule, by",
                "5:24: 'a' is one of push, pull_request, tag, comment, pipeline, model, event, schedule",
                "5:54: 'b' waits for one 'push', not for a list",
                "5:67: unknown key 'evnt' in 'c'; did you mean 'event'?",
                "5:62: 'c' is one of push, pull_request, tag, comment, pipeline, model, event, schedule",
                "5:89: 'within' is longer than nothing: it is how long one event waits for the others",
                "5:93: unknown key 'bye' in 'all'; did you mean 'by'?",
            ]
        ),
        (
            "all: { of: { a: { pipeline: q }, b: { push: {} } }, by: '${{ steps.x }}' }",
            [
                "5:39: there is no pipeline 'q'; did you mean 'p'?",
                "5:72: 'steps' is not known here: only steps, and outputs of their job, see steps",
            ]
        ),
    ])
    func `all errors of it are told at once, each with its place`(trigger: String, expected: [String]) {
        #expect(Set(errors(file(pipeline: "on: { \(trigger) }\n" + ok))) == Set(expected))
    }

    @Test func `pipelines that wait for each other, one of them among several, are refused`() {
        let text = """
            martlet: 1
            pipelines:
              p:
                on: { all: { of: { q: { pipeline: q }, t: { schedule: '@daily' } } } }
                \(ok)
              q:
                on: { pipeline: p }
                \(ok)
            """
        #expect(errors(text).contains { $0.contains("pipelines start each other") })
    }
}
