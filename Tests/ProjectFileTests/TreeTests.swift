import Messages
@testable import ProjectFile
import Testing

struct TreeTests {
    private let good = "pipelines: { p: { jobs: { j: { steps: [ { run: x } ] } } } }"

    @Test func `a key that stands twice is told with both places, beside every other error`() {
        let text = """
            martlet: 1
            project: a
            variables: { x: 1, y: 2, x: 3 }
            pipelines:
              p:
                jobs:
                  j: { steps: [ { run: a } ] }
                  k: { steps: [ { run: a } ] }
                  j: { steps: [ { run: b } ] }
                  j: { steps: [ { run: c } ] }
            project: b
            odd: 1
            """
        #expect(
            errors(text) == [
                "3:26: key 'x' is there already, in line 3",
                "9:7: key 'j' is there already, in line 7",
                "10:7: key 'j' is there already, in line 7",
                "11:1: key 'project' is there already, in line 2",
                "12:1: unknown key 'odd' in the project file; there are \(keys)",
            ]
        )
    }

    @Test func `a YAML error has its place`() {
        #expect(
            errors("martlet: 1\npipelines:\n  p: { jobs: [ }\n") == [
                "3:16: while parsing a flow node: did not find expected node content"
            ]
        )
        #expect(errors("martlet: 1\n\tx: 1\n").first?.hasPrefix("2:1: ") == true)
    }

    @Test func `an unquoted expression between braces is explained`() throws {
        let error = try #require(errors(file(steps: "- { if: ${{ always() }}, run: x }")).first)
        #expect(error.hasPrefix("8:") && error.contains("quote a ${{ … }}"))
    }

    @Test func `an unquoted star is explained`() {
        #expect(
            errors("martlet: 1\npipelines: { p: { on: { push: { paths: [*.py] } } } }") == [
                "2:41: YAML takes '*.py' for an alias because of its '*'; quote it"
            ]
        )
        #expect(
            errors("martlet: 1\nproject: &nam a\nmodel: { name: *name }") == [
                "3:16: there is no anchor '&name' above; did you mean '*nam'?"
            ]
        )
    }

    @Test func `anchors, aliases and merges are expanded`() throws {
        let text = """
            martlet: 1
            pipelines:
              p:
                jobs:
                  a: &job { timeout: 5m, steps: &steps [ &one { run: "a * b" }, *one ] }
                  b: { <<: *job, timeout: 1h30m }
                  c: { needs: a, steps: *steps }
            """
        let jobs = try project(text).pipelines[0].jobs
        #expect(jobs.map(\.timeout) == [.seconds(300), .seconds(5_400), nil])
        #expect(
            jobs.allSatisfy {
                $0.steps.map(\.with) == [
                    .object(["script": .literal("a * b")]), .object(["script": .literal("a * b")]),
                ]
            })
        #expect(jobs[2].steps.map(\.id) == ["step-1", "step-2"])
    }

    @Test func `an error below a shared anchor is told once`() {
        let text = """
            martlet: 1
            pipelines:
              p:
                jobs:
                  a: { steps: &steps [ { rum: a } ] }
                  b: { steps: *steps }
            """
        #expect(
            errors(text) == [
                "5:28: a step needs 'run' or 'uses'", "5:30: unknown key 'rum' in a step; did you mean 'run'?",
            ])
    }

    @Test func `a billion laughs are refused at once`() {
        var text = "martlet: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let alias = "*a\(level - 1)"
            text += "a\(level): &a\(level) [" + Array(repeating: alias, count: 10).joined(separator: ", ") + "]\n"
        }
        let start = ContinuousClock.now
        #expect(errors(text).first?.contains("grows beyond 100000 values once its aliases are expanded") == true)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test func `laughing keys are refused at once`() {
        var text = "martlet: 1\na0: &a0 [x, x]\n"
        for level in 1...60 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(!errors(text + "? *a60\n: 1\n").isEmpty)
        #expect(errors("martlet: 1\n? [a]\n: 1\n") == ["2:3: a key is a plain text here"])
    }

    @Test func `size and depth have limits`() {
        #expect(errors(String(repeating: "#", count: (1 << 20) + 1)) == ["1:1: the file is larger than 1024 KiB"])
        let deep = "martlet: 1\nx: " + String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(errors(deep) == ["2:68: the file is nested more than 64 deep"])
        #expect(!errors("martlet: 1\nx: " + String(repeating: "[", count: 100_000)).isEmpty)
    }

    @Test func `what is no project file says so`() {
        #expect(errors("") == ["1:1: the file is empty"])
        #expect(errors("# nothing\n") == ["1:1: the file is empty"])
        #expect(errors("just text") == ["1:1: the project file is a map, not a text"])
        #expect(errors("project: x\n" + good) == ["1:1: the file must say 'martlet: 1', the version of its format"])
        #expect(errors("martlet: 2\n" + good) == ["1:10: this Martlet reads version 1 of the project file, not '2'"])
        #expect(errors("martlet: 1") == ["1:1: there is no pipeline: say 'pipelines:'"])
        guard case .failure(let none) = ProjectReader.read([], repositoryName: "r") else {
            Issue.record("expected a failure")
            return
        }
        #expect(none.description == "martlet.yml:1:1: there is no martlet.yml, and nothing under mlops/pipelines/")
        #expect(errors("martlet: 1\n---\nmartlet: 1\n").first?.contains("another document") == true)
    }

    @Test func `carriage returns and private-use characters do no harm`() {
        let text = "martlet: 1\r\npipelines:\r\n  p:\r\n    jobs: { j: { steps: [ { run: 'a ${{ nope }}' } ] } }\r\n"
        #expect(errors(text) == ["4:41: unknown reference 'nope'; there are \(roots)"])
        #expect(errors("martlet: 1\nproject: a\u{E000}b") == ["2:11: a private-use character does not belong here"])
    }

    @Test func `ten thousand lines are read, and refused, in a moment`() throws {
        var text = "martlet: 1\npipelines:\n"
        for index in 0..<1_250 {
            text += "  p\(index):\n    on: { push: { branches: [main] } }\n    jobs:\n      j:\n        steps:\n"
            text += "          - run: echo ${{ git.sha }}\n          - uses: registry/tag\n"
            text += "            with: { version: 1, tags: { a: \"${{ run.id }}\" } }\n"
        }
        let start = ContinuousClock.now
        #expect(try project(text).pipelines.count == 1_250)
        #expect(errors(text.replacing("git.sha", with: "git.shb")).count == 1_250)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    private let keys = """
        martlet, project, description, model, secrets, models, environments, backends, targets, pipelines, variables, \
        variable_groups, notify
        """
    private let roots =
        "project, event, git, run, params, vars, secrets, model, env, matrix, needs, steps, upstream, job"
}
