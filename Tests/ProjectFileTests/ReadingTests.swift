import Messages
@testable import ProjectFile
import Testing

private let ok = "jobs: { j: { steps: [ { run: x } ] } }"

struct ReadingTests {
    @Test func `on stays a text and trigger means the same`() throws {
        for word in ["on", "trigger"] {
            let pipeline = try #require(
                try project(file(pipeline: "\(word): { push: { branches: [main] } }\n" + ok)).pipelines.first)
            #expect(pipeline.triggers == [.push(branches: BranchFilter(["main"]), paths: .any)])
        }
    }

    private static let pushes: [(String, BranchFilter, PathFilter)] = [
        ("{ branches: [main], paths: [a/] }", BranchFilter(["main"]), PathFilter(["a/"])),
        ("{ branches: { include: [main], exclude: [x] } }", BranchFilter(["main", "!x"]), PathFilter()),
        ("[main, release/*]", BranchFilter(["main", "release/*"]), PathFilter()),
        ("push", BranchFilter(), PathFilter()),
    ]

    @Test(arguments: pushes)
    func `a trigger as Azure writes it is a push`(text: String, branches: BranchFilter, paths: PathFilter) throws {
        let pipeline = try #require(try project(file(pipeline: "trigger: \(text)\n" + ok)).pipelines.first)
        #expect(pipeline.triggers == [.push(branches: branches, paths: paths)])
    }

    @Test func `Azure's words are understood`() throws {
        let body = """
            pr: [main]
            jobs:
              a: { steps: [ { script: make, condition: always() } ] }
              b:
                dependsOn: a
                condition: ${{ failure() }}
                strategy: { matrix: { x: [1, 2] }, max-parallel: 1 }
                steps: [ { task: acme/do, inputs: { y: "${{ matrix.x }}" } } ]
            """
        let pipeline = try #require(try project(file(pipeline: body)).pipelines.first)
        #expect(pipeline.triggers == [.pullRequest(branches: BranchFilter(["main"]), paths: .any)])
        #expect(pipeline.jobs[0].steps[0].with["script"] == .literal("make"))
        #expect(pipeline.jobs[0].steps[0].condition.expression == .call(.always, []))
        #expect(pipeline.jobs[1].needs == ["a"] && pipeline.jobs[1].matrix?.maxParallel == 1)
        #expect(pipeline.jobs[1].steps[0].verb == "acme/do")
    }

    @Test func `all errors are told at once, each with its place and the nearest key`() {
        let text = """
            martlet: 1
            projct: x
            environments: { qa: { approvals: { requird: 1, timeout: 30 } } }
            pipelines:
              p:
                on: { push: { branchs: [main] } }
                jobs:
                  j:
                    environment: qq
                    needs: [k]
                    steps:
                      - { run: a, uses: registry/tag }
                      - { uses: registry/regster, with: {} }
                      - run: echo ${{ vars.nope }}
            """
        #expect(
            errors(text) == [
                "2:1: unknown key 'projct' in the project file; did you mean 'project'?",
                "3:36: unknown key 'requird' in 'approvals'; did you mean 'required'?",
                "3:57: 'timeout' is a time such as 30d, 12h, 5m, 1s or 250ms, not '30'",
                "6:19: unknown key 'branchs' in 'push'; did you mean 'branches'?",
                "9:22: there is no environment 'qq'; did you mean 'qa'?",
                "10:17: there is no job 'k'; did you mean 'j'?",
                "12:23: a step has 'run' or 'uses', not both",
                "12:29: 'registry/tag' needs 'version'",
                "12:29: 'registry/tag' needs 'tags'",
                "13:21: unknown verb 'registry/regster'; did you mean 'registry/register'?",
                "14:27: unknown reference 'vars.nope': there is no variable 'nope'; there is none",
            ]
        )
    }

    @Test(arguments: [
        ("on: { pipeline: { name: other } }", "5:29: there is no pipeline 'other'; there are p"),
        ("on: { model: { stage: { to: Stagin } } }", "5:33: there is no stage 'Stagin'; did you mean 'Staging'?"),
        ("on: { event: { type: run.finished } }", "5:26: 'event' starts nothing on 'run.finished'; use 'pipeline:'"),
        (
            "on: { event: { type: dev.martlet.model.registered.v1 } }",
            "5:26: 'event' starts nothing on 'dev.martlet.model.registered.v1'; use 'model:'"
        ),
        ("on: { event: { type: dev.martlet.step.* } }", "5:26: 'event' starts nothing on 'dev.martlet.step.*'"),
        ("on: pus", "5:9: nothing starts on 'pus'; did you mean 'push'?"),
        (
            "on: { push: {}, workflow_dispatch: {} }",
            "5:21: unknown key 'workflow_dispatch' in 'on'; did you mean 'manual'?"
        ),
        ("concurrency: { max: 0, group: g }", "5:25: 'max' is a whole number from 1 to 10000"),
        (
            "concurrency: { group: g, on_conflict: cancel-odler }",
            "5:43: 'on_conflict' cannot be 'cancel-odler'; did you mean 'cancel-older'?"
        ),
        ("parameters: { x: { type: flaot } }", "5:30: 'type' cannot be 'flaot'; did you mean 'float'?"),
        (
            "parameters: { x: { type: number, default: many } }",
            "5:47: default of parameter 'x': 'many' is not a number"
        ),
        ("parameters: { x: { type: choice } }", "5:22: parameter 'x' is a choice and needs 'options'"),
        (
            "on: { schedule: { cron: '9 * *' } }",
            "5:29: 'cron' has five fields: minute, hour, day, month, weekday, not 3"
        ),
        ("environment: ${{ params.e }}", "5:18: 'environment' cannot hold an expression"),
    ])
    func `a pipeline that leads nowhere is refused`(line: String, error: String) {
        let top = "model: { stages: { preset: mlflow } }"
        #expect(errors(file(pipeline: line + "\n" + ok, top: top)) == [error])
    }

    @Test func `what only younger rules refuse is a warning where something goes by it already`() throws {
        let body = """
            on: { event: { type: run.finished } }
            jobs:
              e: { steps: [ { id: s, run: x } ], outputs: { o: "${{ steps.s.o }}" } }
              d:
                needs: e
                matrix: { m: [ "${{ needs.e.o }}" ] }
                recheck: { champion_unchanged: "${{ needs.e.o }}" }
                steps: [ { run: x } ]
            """
        let text = file(pipeline: body, top: "targets: { t: { kind: process, command: \"x ${{ git.branch }}\" } }")
        #expect(errors(text).count == 4)
        let documents = [ProjectDocument(path: "martlet.yml", text: text)]
        let project = try ProjectReader.read(documents, repositoryName: "repo", taken: true).get()
        #expect(project.pipelines.count == 1 && project.warnings.count == 3)
    }

    @Test(
        arguments: [
            ("upstream.outputs.train.version", nil), ("upstream.outputs.train", nil),
            ("upstream.run.outputs.train.digest", nil),
            ("upstream.outputs.grid.anything", nil),
            ("upstream.outputs.trian.version", "there is no job 'trian' in 'ci'; did you mean 'train'?"),
            ("upstream.outputs.train.verion", "job 'train' of 'ci' has no output 'verion'; did you mean 'version'?"),
            (
                "upstream.run.outputs.train.seconds",
                "job 'train' of 'ci' has no output 'seconds'; there are digest, version"
            ),
        ] as [(String, String?)])
    func `what a pipeline finds in the one that it follows is known when the file is read`(
        reference: String, error: String?
    ) {
        let text = """
            martlet: 1
            pipelines:
              cd:
                on: { ON }
                jobs: { j: { steps: [ { run: "${{ REFERENCE }}" } ] } }
              ci:
                jobs:
                  train:
                    steps: [ { id: s, run: x } ]
                    outputs: { version: "${{ steps.s.v }}", digest: "1" }
                  grid: { matrix: { a: [1, 2] }, steps: [ { run: x } ] }
            """.replacing("REFERENCE", with: reference)
        let told = error.map { "5:39: unknown reference '\(reference)': \($0)" }
        for on in ["pipeline: ci", "all: { of: { a: { pipeline: ci }, b: { push: {} } } }"] {
            #expect(errors(text.replacing("ON", with: on)) == [told].compactMap(\.self))
        }
        // Nothing is upstream of what follows nothing.
        #expect(errors(text.replacing("ON", with: "manual: {}")) == [])
    }

    @Test func `what only one of several that are followed gives is no mistake`() {
        let text = """
            martlet: 1
            pipelines:
              a: { jobs: { j: { steps: [ { run: x } ], outputs: { n: "1" } } } }
              b: { jobs: { j: { steps: [ { run: x } ], outputs: { m: "1" } } } }
              cd:
                on: { pipeline: [a, b] }
                jobs: { j: { steps: [ { run: "${{ upstream.outputs.j.n }} ${{ upstream.outputs.j.loss }}" } ] } }
            """
        #expect(
            errors(text) == [
                "7:67: unknown reference 'upstream.outputs.j.loss': job 'j' of 'a', 'b' has no output 'loss'; there are m, n"
            ])
    }

    @Test func `a pipeline that follows itself, and in a way that there is not, is told of both`() {
        #expect(
            errors(file(pipeline: "on: { pipeline: { name: p, conclusion: fine } }\n" + ok)) == [
                "4:3: pipelines start each other: p → p",
                "5:44: no run ends 'fine'; there are any, canceled, failed, failure, not_promoted, skipped, succeeded,"
                    + " success",
            ])
    }

    @Test(arguments: [
        (
            "- { uses: deploy/model, with: { target: ap, version: 7 } }",
            "8:51: there is no target 'ap'; did you mean 'api'?"
        ),
        ("- { uses: train/run, with: { backend: aml } }", "8:49: there is no back end 'aml'; there are local"),
        ("- { uses: pipeline/start, with: { pipeline: q } }", "8:55: there is no pipeline 'q'; did you mean 'p'?"),
        (
            "- { uses: registry/transition, with: { version: 1, to: prod } }",
            "8:66: there is no stage 'prod'; there are production, staged, surpassed, unstaged, none"
        ),
        (
            "- { uses: registry/resolve, with: { select: stage=stagd } }",
            "8:55: there is no stage 'stagd'; did you mean 'staged'?"
        ),
        ("- { uses: evaluate/compare, with: { metric: mse } }", "8:45: 'evaluate/compare' needs 'better'"),
        (
            "- { uses: evaluate/compare, with: { metric: mse, better: smaller } }",
            "8:68: 'better' of 'evaluate/compare' cannot be 'smaller'; there are lower, higher"
        ),
        (
            "- { uses: evaluate/compare, with: { metric: mse, better: lower, on_loose: fail } }",
            "8:75: 'evaluate/compare' knows no 'on_loose'; did you mean 'on_lose'?"
        ),
        ("- { uses: acme fairness }", "8:21: unknown verb 'acme fairness'; others' verbs are VENDOR/VERB"),
        ("- { uses: evaluate/judge }", "8:21: unknown verb 'evaluate/judge'; others' verbs are VENDOR/VERB"),
        ("- { name: x }", "8:13: a step needs 'run' or 'uses'"),
        ("- { run: x, timeout-minutes: 3 }", "8:23: unknown key 'timeout-minutes' in a step; did you mean 'timeout'?"),
        ("- { id: a, run: x }\n- { id: a, run: y }", "9:19: step 'a' is in job 'j' already"),
        ("- { id: 1a, run: x }", "8:19: '1a' is no name for a step: a letter first, then letters, digits, '_', '-'"),
        ("- { run: x, continue_on_error: yes }", "8:42: 'continue_on_error' is true or false"),
    ])
    func `a step that leads nowhere is refused`(step: String, error: String) {
        let top = "{ model: { stages: { preset: trunk } }, targets: { api: { kind: process, command: serve } } }"
        let text = file(steps: step, top: "#").replacing(
            "martlet: 1\n#", with: "martlet: 1\n" + top.dropFirst(2).dropLast(2).replacing("}, t", with: "}\nt")
        )
        #expect(errors(text).map(lineUp) == [error])
    }

    /// The two sections above take one line more than `file(steps:)` counts.
    private func lineUp(_ error: String) -> String {
        let parts = error.split(separator: ":", maxSplits: 1)
        return "\((Int(parts[0]) ?? 0) - 1):\(parts[1])"
    }

    @Test func `others' verbs are allowed`() throws {
        let steps = try project(file(steps: "- { uses: acme/fairness-check, with: { any: [1] } }")).pipelines[0].jobs[0]
            .steps
        #expect(steps[0].verb == "acme/fairness-check" && steps[0].id == "step-1")
    }

    @Test func `jobs that need each other are refused`() {
        let body = """
            jobs:
              a: { needs: c, steps: [ { run: x } ] }
              b: { needs: [a], steps: [ { run: x } ] }
              c: { needs: b, steps: [ { run: x } ] }
              d: { needs: c, steps: [ { run: x } ] }
              e: { needs: e, steps: [ { run: x } ] }
            """
        #expect(
            errors(file(pipeline: body)) == [
                "6:12: jobs need each other: a → c → b → a", "10:19: job 'e' cannot need itself",
            ]
        )
    }

    @Test func `a stage, an event or a setter that does not exist is refused`() {
        let text = """
            martlet: 1
            model:
              stages:
                states:
                  a: { max: 1, replaced_becomes: c }
                  b: { set_by: [pipeline:q, everybody], from: [d, none] }
                rules: { z: {} }
            notify:
              - { when: [run.faild], use: slak, channel: x }
              - { when: run.*, use: file }
            pipelines: { p: { jobs: { j: { steps: [ { run: x } ] } } } }
            """
        #expect(
            errors(text) == [
                "5:38: there is no stage 'c'; did you mean 'a'?",
                "6:21: there is no pipeline 'q'; did you mean 'p'?",
                "6:33: 'everybody' is none of user, user:NAME, group:NAME, pipeline:NAME",
                "6:52: there is no stage 'd'; did you mean 'a'?",
                "7:14: there is no stage 'z'; did you mean 'a'?",
                "9:14: there is no event 'run.faild'; did you mean 'run.failed'?",
                "9:31: 'use' cannot be 'slak'; did you mean 'slack'?",
                "10:5: an entry of 'notify' needs 'channel', for example ${{ secrets.HOOK }}",
            ]
        )
    }

    @Test func `trunk makes room by itself`() throws {
        let text = file(pipeline: ok, top: "model: { stages: { preset: trunk, rules: { staged: { set_by: user } } } }")
        let stages = try #require(try project(text).modelDeclarations().first).stages
        #expect(stages.states["staged"] == StageRule(many: false, replacedBecomes: "unstaged", setBy: ["user"]))
        #expect(stages.states["production"] == StageRule(many: false, replacedBecomes: "surpassed"))
    }

    @Test func `several files are merged, and a name that stands twice is refused`() throws {
        let main = ProjectDocument(path: "martlet.yml", text: file(pipeline: ok))
        let other = ProjectDocument(path: "mlops/pipelines/nightly.yml", text: "on: manual\n" + ok)
        let named = ProjectDocument(path: "mlops/pipelines/x.yml", text: "name: y\non: { pipeline: nightly }\n" + ok)
        let project = try ProjectReader.read([other, named, main], repositoryName: "repo").get()
        #expect(project.pipelines.map(\.name) == ["p", "nightly", "y"])
        #expect(project.name == "repo")
        let twice = ProjectDocument(path: "mlops/pipelines/p.yml", text: ok)
        guard case .failure(let errors) = ProjectReader.read([main, twice], repositoryName: "repo") else {
            Issue.record("expected a failure")
            return
        }
        #expect(errors.description == "mlops/pipelines/p.yml:1:1: 'p' is in 'pipelines' already: martlet.yml, line 4")
    }

    @Test func `a file of one pipeline is enough, and its texts make the digest`() throws {
        let one = ProjectDocument(path: "mlops/pipelines/a.yml", text: ok)
        let project = try ProjectReader.read([one], repositoryName: "repo").get()
        #expect(try project.modelDeclarations().map(\.name) == ["repo"])
        let again = try ProjectReader.read([one], repositoryName: "other").get()
        #expect(again.digest == project.digest)
        #expect(try #require(try? read(file(pipeline: ok)).get()).digest != project.digest)
        #expect(ProjectReader.isProjectFile("mlops/pipelines/a.yml") && !ProjectReader.isProjectFile("mlops/a.yml"))
    }

    @Test func `versions and tags stay the text that stands there`() throws {
        let step = "- { uses: registry/tag, with: { version: 1.10, tags: { a: 007, b: yes, c: 2.0, d: true } } }"
        let with = try project(file(steps: step)).pipelines[0].jobs[0].steps[0].with
        #expect(
            with
                == .object([
                    "version": .literal("1.10"),
                    "tags": .object([
                        "a": .literal("007"), "b": .literal("yes"), "c": .literal("2.0"), "d": .literal("true"),
                    ]),
                ]))
    }
}
