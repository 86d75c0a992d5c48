import Foundation
import Messages
import Testing

@testable import Deployer

@Suite struct SmokeTestTests {
    private func problem(_ expect: JSONValue, _ status: Int, _ body: String) throws -> ExpectedAnswer.Mismatch? {
        try ExpectedAnswer(expect).problem(status: status, body: Data(body.utf8))
    }

    private static let shapes: [(JSONValue, String, String?)] = [
        (["json": ["result": ["length": 2]]], #"{"result": [1, 2]}"#, nil),
        (["json": ["result": ["length": 2]]], #"{"result": [1]}"#, "'result' has length 1, expected 2"),
        (["json": ["result": ["length": 2]]], #"{"other": 1}"#, "'result' is missing"),
        (["json": ["result": ["length": 2]]], #"{"result": 7}"#, "'result' is 7, which has no length"),
        (["json": ["result": ["type": "array"]]], #"{"result": "x"}"#, #"'result' is "x", expected type array"#),
        (["json": ["a": ["b": 1]]], #"{"a": {"b": 1.0, "c": 2}}"#, nil),
        (["json": ["a": ["b": 1]]], #"{"a": {"b": 2}}"#, "'a.b' is 2, expected 1"),
        (["json": ["a": [1, 2]]], #"{"a": [1, 3]}"#, "'a[1]' is 3, expected 2"),
        (["json": ["p": ["min": 0, "max": 1]]], #"{"p": 0.5}"#, nil),
        (["json": ["p": ["min": 0, "max": 1]]], #"{"p": 2}"#, "'p' is 2, expected max 1"),
        (["json": ["ok": true]], #"{"ok": true}"#, nil),
        (["json": ["ok": true]], "<html>", "expected JSON, got: <html>"),
        (["json": ["ok": true]], "", "expected JSON, got nothing"),
        ([:], "anything", nil),
    ]

    @Test(arguments: shapes) func `S2-26 D2 the shape of the answer is checked`(
        expect: JSONValue, body: String, problem: String?
    ) throws {
        let found = try self.problem(expect, 200, body)
        #expect(found?.reason == problem)
    }

    @Test func `S3-26 an error status fails, naming both and the answer`() throws {
        let mismatch = try problem([:], 500, "KeyError: age")
        #expect(mismatch?.reason == "expected status 200, got 500: KeyError: age")
        #expect(mismatch?.mayHeal == true)
        let expected = try problem(["status": 422], 422, "")
        #expect(expected == nil)
    }

    @Test func `S2-26 only an error status is tried again, a wrong shape is wrong for good`() throws {
        let mismatch = try problem(["json": ["a": 1]], 200, #"{"a": 2}"#)
        #expect(mismatch?.mayHeal == false)
    }

    @Test func `S2-26 what the project file says is read`() throws {
        let test = try SmokeTest([
            "target": "api", "request": ["data": [[1, 2]]], "expect": ["json": ["result": ["length": 2]]],
            "retry": ["max": 600, "every": "1s"], "headers": ["traceparent": "auto"], "on_fail": "rollback",
        ])
        #expect(test.attempts == 600 && test.pauseSeconds == 1 && test.rollsBack && test.method == "POST")
        let plain = try SmokeTest(["target": "api"])
        #expect(plain.method == "GET" && plain.attempts == 1)
        let filed = try SmokeTest(["target": "api", "request": "tests/sample.json"])
        #expect(filed.request == .file("tests/sample.json"))
    }

    @Test(
        arguments: [
            [:], ["target": "a", "path": "score"], ["target": "a", "expect": ["body": 1]],
            ["target": "a", "on_fail": "panic"],
            ["target": "a", "retry": ["max": "many"]], ["target": "a", "retry": ["every": "soon"]],
            ["target": "a", "retry": ["every": "inf"]],
            ["target": "a", "expect": 200],
        ] as [JSONValue])
    func `nonsense in a smoke test is refused by name`(with: JSONValue) {
        #expect(throws: SmokeTest.Problem.self) { try SmokeTest(with) }
    }
}

@Suite struct DeployInputTests {
    private let run = RunReference(
        id: "r", number: 1, url: "", project: "p", pipeline: "cd", git: nil, snapshot: nil, model: "m")

    @Test func `the project's model and the target's name are the defaults`() throws {
        let request = try DeployRequest(["target": "api", "version": 7], run: run)
        #expect(request.model == "m" && request.endpoint == "api" && request.version == 7)
        let named = try DeployRequest(["target": "api", "version": "12", "name": "blue"], run: run)
        #expect(named.endpoint == "blue" && named.version == 12)
        let unnamed = try DeployRequest(["target": "api", "version": 1, "name": ""], run: run)
        #expect(unnamed.endpoint == "api")
    }

    @Test(
        arguments: [
            [:], ["target": "api"], ["target": "api", "version": "latest"],
            ["target": "api", "version": 1, "name": "../x"],
            ["target": "api", "version": 1, "environment": "venv"],
            ["target": "api", "version": 1, "timeout": 1e30], ["target": "api", "version": 1, "timeout": "soon"],
            ["target": "api", "version": 1, "drain": "31d"],
        ] as [JSONValue])
    func `what cannot be deployed is refused by name`(with: JSONValue) {
        #expect(throws: DeployRequest.Problem.self) { try DeployRequest(with, run: run) }
    }

    @Test func `a target of kind process is read with its defaults`() throws {
        let target = try ProcessTarget(
            name: "api", declaration: ["kind": "process", "command": "python serve.py", "health": "/healthz"],
            healthSeconds: 60)
        #expect(target.command == .line("python serve.py") && target.portVariable == "PORT" && target.score == "/score")
        #expect(target.health == "/healthz" && target.healthSeconds == 60)
    }

    @Test(
        arguments: [
            ["kind": "cluster"], ["kind": "process"], ["kind": "process", "command": " "],
            ["kind": "process", "command": "x", "health": "healthz"],
            ["kind": "process", "command": "x", "timeout": 1e30],
            ["kind": "process", "command": "x", "drain": "soon"],
        ] as [JSONValue])
    func `a target that cannot be served says why`(declaration: JSONValue) {
        #expect(throws: ProcessTarget.Problem.self) {
            try ProcessTarget(name: "api", declaration: declaration, healthSeconds: 60)
        }
    }

    @Test(arguments: [("1s", 1), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("3", 3), ("soon", nil), ("-1s", nil)])
    func `lengths of time`(text: String, seconds: Double?) { #expect(Interval.seconds(.string(text)) == seconds) }

    @Test(arguments: [1e30, "1e30", "inf", "nan", "1e400s", "31d", 2_592_001, .int(-1)] as [JSONValue])
    func `a length of time is at most 30 days`(value: JSONValue) {
        #expect(Interval.seconds(value) == nil)
        #expect(Interval.seconds(2_592_000) == 2_592_000 && Interval.seconds("30d") == 2_592_000)
    }

    @Test func `how long a start may take is the step's word, else the target's, else the deployer's`() throws {
        let declaration: JSONValue = ["kind": "process", "command": "serve", "timeout": "5m"]
        #expect(try ProcessTarget(name: "api", declaration: declaration, healthSeconds: 60).healthSeconds == 300)
        let request = try DeployRequest(["target": "api", "version": 1, "timeout": "2m"], run: run)
        #expect(request.healthSeconds == 120)
        let silent = try DeployRequest(["target": "api", "version": 1, "timeout": .null], run: run)
        #expect(silent.healthSeconds == nil)
    }

    @Test func `how long requests may still take is the step's word, else the target's`() throws {
        let declaration: JSONValue = ["kind": "process", "command": "serve", "drain": "90s"]
        #expect(try ProcessTarget(name: "api", declaration: declaration, healthSeconds: 60).drainSeconds == 90)
        let request = try DeployRequest(["target": "api", "version": 1, "drain": "2m"], run: run)
        #expect(request.drainSeconds == 120)
        #expect(try DeployRequest(["target": "api", "version": 1], run: run).drainSeconds == nil)
    }

    @Test(arguments: [
        ("/endpoints/api/score?x=1", "/score?x=1"), ("/endpoints/api/", "/"), ("/endpoints/api", "/"),
        ("/endpoints/api?x=1", "/?x=1"), ("/endpoints/api/a%2Fb/c", "/a%2Fb/c"),
    ])
    func `the gateway hands on what is below the endpoint`(path: String, below: String) {
        #expect(GatewayRoutes.below(path) == below)
    }

    @Test func `settings that make no sense are refused at the start`() throws {
        #expect(try Settings().healthSeconds == 60)
        #expect(try Settings(["MARTLET_DEPLOYER_URL": "https://ml.example/"]).publicURL == "https://ml.example")
        #expect(throws: Settings.Problem.self) { try Settings(["MARTLET_DEPLOYER_DRAIN_SECONDS": "soon"]) }
        #expect(throws: Settings.Problem.self) { try Settings(["MARTLET_DEPLOYER_URL": "ml.example"]) }
    }
}
