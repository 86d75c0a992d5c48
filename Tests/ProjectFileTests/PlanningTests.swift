import Messages
@testable import ProjectFile
import Testing

struct PlanningTests {
    @Test func `the planner has a limit of its own, whoever made the matrix`() throws {
        let body = "jobs: { j: { matrix: { x: [1], y: [2], include: [ { z: 3 } ] }, steps: [ { run: x } ] } }"
        let project = try project(file(pipeline: body))
        func planned(_ change: (inout Matrix) -> Void) throws -> Int {
            var pipeline = project.pipelines[0]
            var matrix = try #require(pipeline.jobs[0].matrix)
            change(&matrix)
            pipeline.jobs[0].matrix = matrix
            return try project.planJobs(of: pipeline, in: try project.baseScope()).count
        }
        func widen(_ axis: inout Matrix.Axis, to count: Int) {
            axis.values = Array(repeating: axis.values[0], count: count)
        }
        #expect(try planned { widen(&$0.axes[0], to: 1000) } == 1000)
        #expect(throws: EvaluationError.self) {
            try planned {
                widen(&$0.axes[0], to: 40)
                widen(&$0.axes[1], to: 40)
            }
        }
        #expect(throws: EvaluationError.self) {
            try planned { matrix in
                widen(&matrix.axes[0], to: 1000)
                matrix.include = [["x": matrix.include[0]["z"] ?? matrix.axes[0].values[0]]]
            }
        }
    }

    @Test func `jobs are planned after what they need, with ids and titles of their steps`() throws {
        let body = """
            jobs:
              b: { needs: a, environment: qa, steps: [ { id: x, name: Train, run: python train.py } ] }
              a:
                steps:
                  - run: |

                      make lint
                      make test
                  - { uses: registry/tag, with: { version: 1, tags: {} } }
            """
        let project = try project(file(pipeline: body, top: "environments: { qa: {} }"))
        let plan = try project.planJobs(of: project.pipelines[0], in: try project.baseScope()).map(\.plan)
        #expect(
            plan == [
                JobPlan(
                    id: "a", needs: [], environment: nil,
                    steps: [
                        StepPlan(id: "step-1", verb: "run", title: "make lint"),
                        StepPlan(id: "step-2", verb: "registry/tag", title: "registry/tag"),
                    ]
                ),
                JobPlan(
                    id: "b", needs: ["a"], environment: "qa", steps: [StepPlan(id: "x", verb: "run", title: "Train")]
                ),
            ]
        )
    }

    @Test(arguments: [
        ("{ x: [1, 2], y: [a, b] }", ["j.1-a", "j.1-b", "j.2-a", "j.2-b"]),
        ("{ x: [1, 2], y: [a, b], exclude: [ { x: 1, y: b } ] }", ["j.1-a", "j.2-a", "j.2-b"]),
        ("{ x: [1, 2], include: [ { x: 3 }, { x: 1, z: q } ] }", ["j.1", "j.2", "j.3"]),
        ("{ x: [data/a.zip, 'data a.zip'] }", ["j.1", "j.2"]), ("{ x: [ { a: 1 }, { a: 2 } ] }", ["j.1", "j.2"]),
        ("{ x: [\"${{ vars.v }}\"] }", ["j.seven"]),
    ])
    func `a matrix repeats its job`(matrix: String, ids: [String]) throws {
        let body = "jobs: { j: { matrix: \(matrix), steps: [ { run: x } ] }, k: { needs: j, steps: [ { run: x } ] } }"
        let project = try project(file(pipeline: body, top: "variables: { v: seven }"))
        let jobs = try project.planJobs(of: project.pipelines[0], in: try project.baseScope())
        #expect(jobs.dropLast().map(\.id) == ids)
        #expect(jobs.last?.needs == ids)
    }

    @Test func `an included value joins the combination that it fits`() throws {
        let body =
            "jobs: { j: { matrix: { x: [1, 2], include: [ { x: 1, z: q } ] }, "
            + "steps: [ { run: \"${{ matrix.z }}\" } ] } }"
        let project = try project(file(pipeline: body))
        let jobs = try project.planJobs(of: project.pipelines[0], in: try project.baseScope())
        #expect(jobs.map(\.matrix) == [["x": 1, "z": "q"], ["x": 2]])
    }

    private static let parameters = """
        on: { manual: { parameters: {
            version: { type: model-version, required: true }, kind: { type: choice, options: [ACI, 2], default: ACI },
            cpu: { type: number, default: 1 },
            fast: { type: bool, default: "${{ vars.fast }}" }, note: { type: string } } } }
        parameters: { alpha: { type: float, default: 0.5 } }
        jobs: { j: { steps: [ { run: x } ] } }
        """

    private func check(_ given: [String: JSONValue], manual: Bool = true) throws -> Result<
        [String: JSONValue], ParameterErrors
    > {
        let project = try project(file(pipeline: Self.parameters, top: "variables: { fast: true }"))
        return project.pipelines[0].checkParameters(given: given, manual: manual, in: try project.baseScope())
    }

    @Test func `parameters get their types and defaults`() throws {
        #expect(
            try check(["version": 7, "cpu": "0.5", "fast": "false", "kind": "2"]).get()
                == ["version": "7", "kind": 2, "cpu": 0.5, "fast": false, "alpha": 0.5])
        #expect(
            try check(["version": "1.10", "note": 3]).get()
                == ["version": "1.10", "kind": "ACI", "cpu": 1, "fast": true, "note": "3", "alpha": 0.5])
        #expect(try check(["alpha": "2"], manual: false).get() == ["alpha": 2])
    }

    @Test func `S0-21 bad parameters are all refused before there is a run`() throws {
        let result = try check(["kind": "AKS", "cpu": "many", "fast": "maybe", "aplha": 1])
        #expect(
            result
                == .failure(
                    ParameterErrors(messages: [
                        "'p' has no parameter 'aplha'; did you mean 'alpha'?", "parameter 'version' is required",
                        "parameter 'kind': 'AKS' is none of ACI, 2", "parameter 'cpu': 'many' is not a number",
                        "parameter 'fast': 'maybe' is not a boolean",
                    ])
                )
        )
    }

    @Test(arguments: [
        ("30d", Duration.seconds(2_592_000)), ("12h", .seconds(43_200)), ("1s", .seconds(1)),
        ("250ms", .milliseconds(250)), ("1h30m", .seconds(5_400)), ("2w", .seconds(1_209_600)),
    ])
    func `a time is written with its unit`(words: String, duration: Duration) {
        #expect(Duration(words: words) == duration)
    }

    @Test(arguments: ["", "30", "d", "1.5h", "-1s", "1 h", "99999999999s", "4000d", "1y"])
    func `what is no time is refused`(words: String) {
        #expect(Duration(words: words) == nil)
    }
}
