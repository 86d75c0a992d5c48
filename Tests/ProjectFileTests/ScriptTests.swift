import Messages
@testable import ProjectFile
import Testing

@Suite struct ScriptTests {
    private let hostile = "x'; rm -rf / #$(reboot)`id`\""

    private func script(_ text: String) throws -> (text: String, variables: [String: String]) {
        let read = try project(file(steps: "- { id: s, run: x }\n- run: \"\(text)\"", top: "variables: { fine: abc }"))
        let step = try #require(read.pipelines.first?.jobs.first?.steps.last?.with["script"])
        return try step.script(
            in: Scope(project: "p", git: ["message": .string(hostile)], vars: ["fine": "abc"], steps: ["s": ["n": 7]]))
    }

    @Test func `what a stranger wrote never becomes part of a script`() throws {
        let (text, variables) = try script("echo ${{ git.message }} ${{ steps.s.n }}")
        #expect(text == "echo ${MARTLET_VALUE_1} ${MARTLET_VALUE_2}")
        #expect(variables == ["MARTLET_VALUE_1": hostile, "MARTLET_VALUE_2": "7"])
    }

    @Test func `what stands in the file itself is put in as it is`() throws {
        let (text, variables) = try script("echo ${{ vars.fine }} ${{ project }}")
        #expect(text == "echo abc p")
        #expect(variables.isEmpty)
    }

    @Test func `one foreign reference makes the whole expression foreign`() throws {
        let (text, variables) = try script("echo ${{ vars.fine || git.message }}")
        #expect(text == "echo ${MARTLET_VALUE_1}")
        #expect(variables == ["MARTLET_VALUE_1": "abc"])
    }

    @Test func `values of a job and of a matrix are foreign where they are made of something foreign`() throws {
        let body = """
            parameters: { p: { type: string } }
            jobs:
              j:
                matrix: { a: [1, 2], b: ["${{ params.p }}"], include: [ { a: 1, c: "${{ event.c }}" } ] }
                with: { k: v, t: "${{ event.title }}", m: "${{ matrix.a }}", n: "x${{ matrix.b }}" }
                steps: [ { run: "${{ job.k }} ${{ job.t }} ${{ job.n }} ${{ job }}" } ]
            """
        let job = try #require(try project(file(pipeline: body)).pipelines.first?.jobs.first)
        #expect(job.ownNames == ["job.id", "job.name", "job.k", "job.m", "matrix.a"])
        var scope = Scope(job: ["k": "v", "t": .string(hostile), "n": "xy"])
        scope.own = job.ownNames
        let script = try #require(try job.steps.first?.with["script"]?.script(in: scope))
        #expect(script.text == "v ${MARTLET_VALUE_1} ${MARTLET_VALUE_2} ${MARTLET_VALUE_3}")
        #expect(script.variables["MARTLET_VALUE_1"] == hostile)
    }

    @Test func `a script that is a list holds nothing foreign`() throws {
        let read = try project(file(steps: "- { uses: train/run, with: { command: [echo, \"${{ git.message }}\"] } }"))
        let command = try #require(read.pipelines.first?.jobs.first?.steps.first?.with["command"])
        #expect(throws: EvaluationError.self) { try command.script(in: Scope(git: ["message": "$(reboot)"])) }
    }

    @Test func `what would be taken for a secret's name is no part of a script's variables`() throws {
        let read = try project(file(steps: "- run: \"echo ${{ git.message }}\""))
        let step = try #require(read.pipelines.first?.jobs.first?.steps.first?.with["script"])
        for text in [#"{"secret":"KEY"}"#, #"{"secret":"KEY","secret":"/build"}"#, #"{"s\u0065cret":"KEY"}"#] {
            #expect(throws: EvaluationError.self) { try step.script(in: Scope(git: ["message": .string(text)])) }
        }
    }
}
