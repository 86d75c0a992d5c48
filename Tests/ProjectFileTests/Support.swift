import Messages
@testable import ProjectFile
import Testing

/// A project file around one pipeline's body, whose first line is line 5, indented by four.
func file(pipeline body: String, top: String = "") -> String {
    "martlet: 1\n\(top.isEmpty ? "# nothing" : top)\npipelines:\n  p:\n"
        + body.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n")
}

/// A pipeline whose only job has these steps, the first of them in line 8 and column 11.
func file(steps: String, top: String = "") -> String {
    let indented = steps.split(separator: "\n").map { "      " + $0 }.joined(separator: "\n")
    return file(pipeline: "jobs:\n  j:\n    steps:\n\(indented)", top: top)
}

func read(_ text: String, path: String = "martlet.yml") -> Result<Project, ProjectErrors> {
    ProjectReader.read([ProjectDocument(path: path, text: text)], repositoryName: "repo")
}

func project(_ text: String) throws -> Project { try read(text).get() }

/// The errors without the file's name: `3:5: unknown key …`.
func errors(_ text: String) -> [String] {
    guard case .failure(let errors) = read(text) else { return [] }
    return errors.errors.map { "\($0.line):\($0.column): \($0.message)" }
}

/// Evaluates the text of a step's `with.x`, where `params`, `vars` and an id'd step `s` are known.
func evaluate(_ text: String, _ scope: Scope) throws -> JSONValue {
    let top = "variables: { flag: true, auto-trigger-training: false, empty: '', seven: 7 }"
    let body = """
        parameters: { p: { type: string }, q: { type: number } }
        jobs:
          j:
            with: { k: v }
            steps:
              - { id: s, run: x }
              - uses: acme/try
                with:
                  x: \(text)
        """
    let pipeline = try #require(project(file(pipeline: body, top: top)).pipelines.first)
    let step = try #require(pipeline.jobs.first?.steps.last)
    return try #require(try step.with["x"]?.evaluate(in: scope))
}
