import Foundation
import Messages
import Testing

@testable import TrainerProxy

struct TrainingFilesTests {
    @Test(arguments: [
        (#"{"mse": 0.25}"#, ["mse": JSONValue.double(0.25)]),
        (#"{"n": 3, "loss": -1e-3}"#, ["n": .int(3), "loss": .double(-0.001)]),
        (#"{"mse": NaN, "a": Infinity, "b": -Infinity}"#, ["mse": "NaN", "a": "Infinity", "b": "-Infinity"]),
        (#"{"NaN of x": 1, "quo\"te NaN": NaN}"#, ["NaN of x": .int(1), "quo\"te NaN": "NaN"]),
        (#"{"mse": null}"#, ["mse": "NaN"]),
        (#"{"mse": "NaN"}"#, ["mse": "NaN"]),
        ("{}", [:]),
    ])
    func `S2-8 metrics are numbers by name, and Python's bare NaN is one`(text: String, expected: [String: JSONValue])
        throws
    {
        #expect(try TrainingFiles.metrics(Data(text.utf8)) == expected)
    }

    @Test(arguments: [
        ("", "metrics.json: not JSON"),
        ("{\"mse\": }", "metrics.json: not JSON"),
        ("[1]", "holds a list where an object is expected"),
        (#"{"mse": "low"}"#, "'mse' is the text 'low'; a metric is a number"),
        (#"{"mse": {"train": 1}}"#, "'mse' is an object"),
        (#"{"ok": true}"#, "'ok' is true or false"),
    ])
    func `unusable metrics are refused with the file and the reason`(text: String, expected: String) {
        let error = #expect(throws: OutputFileError.self) { try TrainingFiles.metrics(Data(text.utf8)) }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
    }

    @Test func `parameters are texts`() throws {
        let bytes = Data(#"{"alpha": 0.5, "solver": "auto", "layers": [1, 2], "fit": true}"#.utf8)
        #expect(
            try TrainingFiles.parameters(bytes) == ["alpha": "0.5", "solver": "auto", "layers": "[1,2]", "fit": "true"])
    }
}

struct RequirementsTests {
    private func requirements(_ files: [String: String]) throws -> Requirements {
        try Requirements(file: "requirements.txt") { files[$0] ?? "" }
    }

    @Test(arguments: [
        "numpy==2.0\nscikit-learn>=1.5\n",
        "# comment\n\nnumpy==2.0   # why\n  scikit-learn>=1.5",
        "numpy==2.0\r\nscikit-learn>=1.5\r\n",
    ])
    func `comments, blank lines and spaces do not make another environment`(text: String) throws {
        let requirements = try requirements(["requirements.txt": text])
        #expect(requirements.entries == ["numpy==2.0", "scikit-learn>=1.5"])
        #expect(
            requirements.definition(python: "cpython 3.11.7")
                == "numpy==2.0\nscikit-learn>=1.5\npython cpython 3.11.7\n")
    }

    @Test func `another version of Python, another entry or another included file makes another environment`() throws {
        let one = try requirements(["requirements.txt": "-r base.txt", "base.txt": "numpy==2.0"])
        let other = try requirements(["requirements.txt": "-r base.txt", "base.txt": "numpy==2.1"])
        #expect(one.entries == ["-r base.txt", "numpy==2.0"])
        #expect(one.definition(python: "3.11") != other.definition(python: "3.11"))
        #expect(one.definition(python: "3.11") != one.definition(python: "3.12"))
    }

    @Test func `files that include each other are read once`() throws {
        let files = ["requirements.txt": "-r a.txt\nnumpy", "a.txt": "-r requirements.txt"]
        #expect(try requirements(files).entries == ["-r a.txt", "-r requirements.txt", "numpy"])
    }

    @Test(arguments: ["-e .", "./local", "-e ./local", "x @ file:///tmp/x.whl", "/abs/x.whl"])
    func `what an environment would outlive is refused`(entry: String) {
        let error = #expect(throws: RequirementsError.self) {
            try requirements(["requirements.txt": "numpy\n\(entry)"])
        }
        #expect(error?.description.hasPrefix("requirements.txt:2: '\(entry)'") == true)
    }

    @Test func `hash signs inside an entry are no comments`() throws {
        let entry = "pkg @ https://example.org/x.zip#sha256=00"
        #expect(try requirements(["requirements.txt": entry]).entries == [entry])
    }
}

struct ExecutionTests {
    private let execution = Execution(
        item: "r/j/s/1", run: "r", job: "j", marker: "m", boot: "this", space: "here", hasEnded: false,
        stop: nil, started: Timestamp(milliseconds: 0))

    @Test(arguments: [
        (
            Traces(exitCode: nil, isRunning: false, wasStarted: false, boot: "this", space: "here", isSpaceAlive: true),
            Continuation.start
        ),
        (
            Traces(
                exitCode: nil, isRunning: false, wasStarted: false, boot: "other", space: "here", isSpaceAlive: true),
            .lost
        ),
        (
            Traces(exitCode: nil, isRunning: true, wasStarted: true, boot: "this", space: "here", isSpaceAlive: true),
            .attach
        ),
        (
            Traces(exitCode: nil, isRunning: true, wasStarted: false, boot: "this", space: "here", isSpaceAlive: true),
            .attach
        ),
        (
            Traces(exitCode: 0, isRunning: false, wasStarted: true, boot: "this", space: "here", isSpaceAlive: true),
            .ended(code: 0)
        ),
        (
            Traces(exitCode: 3, isRunning: true, wasStarted: true, boot: "this", space: "here", isSpaceAlive: true),
            .ended(code: 3)
        ),
        (
            Traces(exitCode: 0, isRunning: false, wasStarted: true, boot: "other", space: "here", isSpaceAlive: true),
            .ended(code: 0)
        ),
        (
            Traces(exitCode: nil, isRunning: false, wasStarted: true, boot: "this", space: "here", isSpaceAlive: true),
            .lost
        ),
    ])
    func `R4 after a crash nothing runs twice, and what vanished is called lost`(traces: Traces, expected: Continuation)
    {
        #expect(execution.continuation(traces) == expected)
    }

    @Test func `what went down with its container is begun again there where one lives, a few times`() {
        func continuation(code: Int32? = nil, boot: String = "this", alive: Bool, restarts: Int = 0) -> Continuation {
            var other = execution
            other.restarts = restarts
            return other.continuation(
                Traces(
                    exitCode: code, isRunning: false, wasStarted: true, boot: boot, space: "there", isSpaceAlive: alive)
            )
        }
        #expect(continuation(alive: false) == .again)
        #expect(continuation(alive: true) == .elsewhere)
        #expect(continuation(code: 0, alive: false) == .ended(code: 0))
        #expect(continuation(alive: false, restarts: Execution.mostRestarts) == .lost)
        #expect(continuation(boot: "other", alive: false) == .lost)
    }
}

struct PathNameTests {
    @Test(arguments: [
        ("train", "train"), ("a b", "a%20b"), ("../x", "%2e.%2fx"), (".", "%2e"), ("a/b", "a%2fb"), ("", "%"),
    ])
    func `names from project files stay inside their folder`(text: String, expected: String) {
        #expect(PathName.part(text) == expected)
    }

    @Test func `paths that lead out are refused`() {
        #expect(PathName.inside("a/./b.txt") == "a/b.txt")
        for path in ["/etc/passwd", "../x", "a/../../x", "", "."] { #expect(PathName.inside(path) == nil, "\(path)") }
    }
}

struct SecretReferencesTests {
    @Test func `references become values and are remembered for the mask`() throws {
        var revealing = Revealing { "value of \($0)" }
        let value: JSONValue = ["token": ["secret": "TOKEN"], "plain": 1, "list": [["secret": "B"]]]
        #expect(try revealing.value(value) == ["token": "value of TOKEN", "plain": 1, "list": ["value of B"]])
        #expect(try revealing.variable(#"{"secret":"C"}"#) == "value of C")
        #expect(try revealing.variable(#"{ "s\u0065cret": "D" }"#) == "value of D")
        for text in [#"{"secret":1}"#, #" {"secret":"C"}"#, #"[{"secret":"C"}]"#, #"{"secret":"C","a":1}"#] {
            #expect(try revealing.variable(text) == text)
        }
        #expect(Set(revealing.values) == ["value of TOKEN", "value of B", "value of C", "value of D"])
    }
}
