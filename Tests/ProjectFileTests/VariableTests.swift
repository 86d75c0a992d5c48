import Messages
@testable import ProjectFile
import Testing

struct VariableTests {
    private static let text = """
        martlet: 1
        variables: { files: [conf/base.env, 'conf/${{ env.name }}/.env'], table: inline, size: 1, own: "${{ vars.table }}!" }
        variable_groups: [shared]
        environments: { dev: {}, prod: {} }
        pipelines: { p: { environment: prod, jobs: { j: { steps: [ { run: 'x ${{ vars.table }} ${{ vars.far }}' } ] } } } }
        """

    private static let files = [
        "conf/base.env": "# data\nexport table=base\nsize=2\n",
        "conf/prod/.env": "table='prod # 1' \nready=false # for now\nversion=\"1.10\"",
    ]

    private func project(_ text: String = text) throws -> Project {
        let main = [ProjectDocument(path: "martlet.yml", text: text)]
        return try ProjectReader.read(main, repositoryName: "repo") { Self.files[$0] }.get()
    }

    @Test func `S4-8 the later file wins over the earlier, and the operator over everything`() throws {
        var project = try project()
        #expect(project.variablePaths == ["conf/base.env", "conf/dev/.env", "conf/prod/.env"])
        #expect(try project.variableValues()["table"] == "base")
        #expect(try project.variableValues(environment: "dev")["own"] == "base!")
        let prod = try project.variableValues(environment: "prod")
        #expect(prod == ["table": "prod # 1", "own": "prod # 1!", "size": 2, "ready": false, "version": "1.10"])
        project.groupValues = ["size": 3, "far": "group"]
        #expect(try project.variableValues()["size"] == 2 && project.variableValues()["far"] == "group")
        project.overridingValues = ["table": "now"]
        #expect(try project.variableValues(environment: "prod")["own"] == "now!")
    }

    @Test func `the files are part of the digest`() throws {
        let bare = try ProjectReader.read(
            [ProjectDocument(path: "martlet.yml", text: Self.text)], repositoryName: "repo"
        ).get()
        #expect(try project().digest != bare.digest)
    }

    @Test func `D.5 a variable without a value is told before a run exists`() throws {
        let project = try project()
        #expect(project.pipelines[0].missingVariables(in: try project.variableValues(environment: "prod")) == ["far"])
    }

    @Test func `each job is asked for what its own environment has`() throws {
        let body = """
            jobs:
              a: { environment: dev, steps: [ { run: "${{ vars.x }}" } ] }
              b: { steps: [ { run: "${{ vars.y }}" } ] }
            """
        let top = "variable_groups: [g]\nenvironments: { dev: {} }"
        let pipeline = try project(file(pipeline: body, top: top)).pipelines[0]
        #expect(pipeline.missingVariables(in: ["y": 1], others: ["dev": ["x": 1]]).isEmpty)
        #expect(pipeline.missingVariables(in: ["x": 1, "y": 1], others: ["dev": ["y": 1]]) == ["x"])
    }

    @Test func `S1-26 whether an environment is enabled has to be known, and the empty text says no`() throws {
        let body = """
            jobs:
              a: { environment: uat, steps: [ { run: x } ] }
              b: { steps: [ { run: x } ] }
            """
        let top = """
            variable_groups: [g]
            environments: { uat: { enabled: "${{ vars.uat }}" }, qa: { enabled: "${{ vars.qa }}" } }
            """
        let project = try project(file(pipeline: body, top: top))
        func missing(_ values: [String: JSONValue]) -> [String] {
            project.pipelines[0].missingVariables(
                in: [:], others: ["uat": values], environments: project.environments)
        }
        // Nothing of it is in `qa`.
        #expect(missing([:]) == ["uat"])
        #expect(missing(["uat": ""]).isEmpty && missing(["uat": true]).isEmpty)
        #expect(project.variableNames == ["uat", "qa"])
    }

    @Test func `without groups the files tell which variables there are`() throws {
        let text = Self.text.replacing("variable_groups: [shared]\n", with: "")
        guard case .failure(let errors) = Result(catching: { try project(text) }) else {
            Issue.record("vars.far was taken")
            return
        }
        #expect("\(errors)".contains("there is no variable 'far'"))
    }

    @Test(arguments: [
        "/etc/passwd", "../x.env", "a/../../x", "martlet.yml", ":(glob)*", "${{ '/etc/passwd' }}", "${{ '..' }}/x.env",
        "${{ 'martlet' }}.yml",
    ])
    func `a file stays in the repository`(path: String) throws {
        #expect(
            errors(file(pipeline: "jobs: { j: { steps: [ { run: x } ] } }", top: "variables: { files: [\"\(path)\"] }"))
                == ["2:22: each of 'variables.files' is a .env file of the repository"])
    }

    @Test func `what is no variable has its place`() {
        let text = EnvironmentText(ProjectDocument(path: "a.env", text: "A=1\n\nB\n1C=2\nD='x"))
        #expect(text.values == ["A": 1])
        #expect(
            text.errors.map(\.description) == [
                "a.env:3:1: a line is NAME=VALUE", "a.env:4:1: '1C' is no name for a variable",
                "a.env:5:1: this text has no closing '",
            ])
    }
}
