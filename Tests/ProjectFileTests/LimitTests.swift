import Messages
@testable import ProjectFile
import Testing

struct LimitTests {
    @Test func `a matrix with too many combinations is refused when the file is read`() {
        let axis = "[" + (1...40).map(String.init).joined(separator: ", ") + "]"
        let body = "jobs: { j: { matrix: { x: \(axis), y: \(axis) }, steps: [ { run: x } ] } }"
        #expect(errors(file(pipeline: body)).first?.contains("more than 1000 combinations") == true)
    }

    @Test func `an empty list of steps is told as such`() {
        let found = errors(file(pipeline: "jobs: { j: { steps: [] } }"))
        #expect(found.count == 1 && found.first?.contains("'steps' is empty: job 'j' needs at least one step") == true)
    }

    @Test func `an empty text is no value of a required parameter`() throws {
        let body = "parameters: { s: { type: string, required: true } }\njobs: { j: { steps: [ { run: x } ] } }"
        let project = try project(file(pipeline: body))
        let result = project.pipelines[0].checkParameters(given: ["s": ""], manual: false, in: try project.baseScope())
        guard case .failure(let problems) = result else {
            Issue.record("taken")
            return
        }
        #expect(problems.description.contains("'s' is required"))
    }
}
