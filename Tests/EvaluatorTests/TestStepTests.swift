import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store
import Testing

@testable import Evaluator

@Suite struct TestStepTests {
    private static let pass = #"<testsuite><testcase classname="m" name="a"/></testsuite>"#

    private func step(_ judge: Judge) -> TestStep {
        TestStep(
            store: judge.store, artifacts: judge.artifacts, paths: judge.paths,
            own: ProcessInfo.processInfo.environment)
    }

    private func run(
        _ judge: Judge, _ command: String, files: [String: String] = ["a.txt": "a"], timeout: Int? = nil,
        more: [String: JSONValue] = [:]
    ) async throws -> StepResult {
        let with: [String: JSONValue] = [
            "command": .string(command), "report": ["format": "junit-xml", "path": "reports/out.xml"],
        ]
        let work = work(
            "evaluate/test", .object(with.merging(more) { $1 }), snapshot: try await judge.pack(files),
            timeout: timeout)
        let ending = try await step(judge).perform(work)
        try await judge.store.write { tx in try ending.commit(tx) }
        return ending.result
    }

    @Test func `S0-14 the report is kept as an artifact and told`() async throws {
        let judge = try Judge()
        let result = try await run(judge, "echo running; cp good.xml reports/out.xml", files: ["good.xml": Self.pass])
        #expect(result.outcome == .succeeded)
        #expect(result.outputs["outcome"] == "passed")
        #expect(result.outputs["passed"] == 1)
        let digest = try #require(result.outputs["report"]?.string.flatMap { Digest($0) })
        #expect(try await judge.artifacts.read(digest) == Data(Self.pass.utf8))
        #expect(try await judge.artifacts.read(try #require(result.log)) == Data("running\n".utf8))
        let said = try await judge.said(TestSuiteFinished.self)
        #expect(said.map(\.status) == ["passed"])
    }

    @Test func `S0-16 no report, or one that the commit brought along, is a failure`() async throws {
        let judge = try Judge()
        let result = try await run(judge, "true", files: ["reports/out.xml": Self.pass])
        #expect(result.outcome == .failed)
        #expect(result.outputs["outcome"] == "failed")
        #expect(result.message?.contains("the tests wrote no report to 'reports/out.xml'") == true)
    }

    @Test func `S0-16 a command that crashes after a good report has not passed`() async throws {
        let judge = try Judge()
        let result = try await run(judge, "cp good.xml reports/out.xml; exit 3", files: ["good.xml": Self.pass])
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("exit code 3") == true)
    }

    @Test func `S0-14 the version under test is there as a folder`() async throws {
        let judge = try Judge()
        let model = try await judge.pack(["model.pkl": "weights"])
        try await judge.register(1, artifact: model)
        let result = try await run(
            judge, #"test "$(cat $MARTLET_MODEL/model.pkl)" = weights; cp good.xml $MARTLET_REPORT"#,
            files: ["good.xml": Self.pass], more: ["model": 1])
        #expect(result.outcome == .succeeded)
    }

    @Test func `E5 tests that take too long are ended and have failed`() async throws {
        let judge = try Judge()
        let result = try await run(judge, "sleep 600", timeout: 0)
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("its time being up") == true)
    }

    @Test func `S0-18 after a restart a finished test run is judged and not run again`() async throws {
        let judge = try Judge()
        let with: JSONValue = [
            "command": .string("echo once >> \(judge.paths.root)/count; cp good.xml r.xml"),
            "report": ["path": "r.xml"],
        ]
        let work = work("evaluate/test", with, snapshot: try await judge.pack(["good.xml": Self.pass]))
        // The first attempt ends, and its result is lost with the service.
        let first = try await step(judge).perform(work)
        let again = try await step(judge).perform(work)
        #expect(again.result == first.result)
        #expect(try String(contentsOfFile: judge.paths.root + "/count", encoding: .utf8) == "once\n")
    }

    @Test func `S0-18 after a restart a running test run is found again and not begun twice`() async throws {
        let judge = try Judge()
        let fifo = judge.paths.root + "/gate"
        #expect(mkfifo(fifo, 0o600) == 0)
        let with: JSONValue = [
            "command": .string("echo once >> \(judge.paths.root)/count; read line < \(fifo); cp good.xml r.xml"),
            "report": ["path": "r.xml"],
        ]
        let work = work("evaluate/test", with, snapshot: try await judge.pack(["good.xml": Self.pass]))
        let folder = TestFolder(work: judge.paths.work, item: work.item)
        let request = try TestRequest(work)
        try await folder.prepare(
            snapshot: work.run.snapshot, model: nil, report: request.report, artifacts: judge.artifacts)
        let process = TestProcess(item: work.item, folder: folder, store: judge.store)
        let log = try judge.artifacts.liveLog(work.item)
        // Spawned as by a service that died before it could note the process.
        _ = try DetachedProcess.spawn(
            ProcessRequest(
                argv: request.argv,
                environment: request.variables(
                    work, own: ["PATH": "/usr/bin:/bin"], folder: folder.root, python: nil, model: nil),
                directory: folder.copy, output: log.path, exitRecord: folder.exitRecord))
        guard case .running = try await process.state() else { return #expect(Bool(false)) }

        async let ending = step(judge).perform(work)
        // Opening blocks until the command reads; then it goes on.
        try await FileQueue().run {
            try FileHandle(forWritingTo: URL(fileURLWithPath: fifo)).write(contentsOf: Data("go\n".utf8))
        }
        let result = try await ending.result
        #expect(result.outcome == .succeeded)
        #expect(try String(contentsOfFile: judge.paths.root + "/count", encoding: .utf8) == "once\n")
    }

    @Test func `E5 a canceled test run ends with everything that it started`() async throws {
        let judge = try Judge()
        let fifo = judge.paths.root + "/gate"
        #expect(mkfifo(fifo, 0o600) == 0)
        let with: JSONValue = [
            "command": .string("sleep 600 & echo begun > \(fifo); wait"), "report": ["path": "r.xml"],
        ]
        let work = work("evaluate/test", with, snapshot: try await judge.pack(["a.txt": "a"]))
        let running = Task { try await step(judge).perform(work) }
        // Opening blocks until the command has begun.
        _ = try await FileQueue().run {
            try FileHandle(forReadingFrom: URL(fileURLWithPath: fifo)).readToEnd()
        }
        running.cancel()
        await #expect(throws: CancellationError.self) { _ = try await running.value }
        let folder = TestFolder(work: judge.paths.work, item: work.item)
        #expect(ProcessTable.find(environment: ProcessVariables.marker, is: folder.root).isEmpty)
    }

    @Test func `S0-14 a pytest script is run by pytest, another by Python, a program by itself`() throws {
        func argv(_ script: String) throws -> [String] {
            try TestRequest(work("evaluate/test", ["script": .string(script), "report": ["path": "r.xml"]])).argv
        }
        #expect(
            try argv("./src/model/tests/test_model.py")
                == ["python3", "-m", "pytest", "src/model/tests/test_model.py", "--junitxml=r.xml"])
        #expect(try argv("check.py") == ["python3", "check.py"])
        #expect(try argv("tests/run") == ["./tests/run"])
    }

    @Test(
        arguments: [
            ["command": "true"], ["script": "../x.py", "report": ["path": "r.xml"]],
            ["command": "true", "report": ["path": "../r.xml"]], ["command": "true", "report": ["path": "/r.xml"]],
            ["report": ["path": "r.xml"]], ["command": "a", "script": "b", "report": ["path": "r.xml"]],
            ["command": "a", "report": ["path": "r.xml", "format": "nunit"]],
        ] as [JSONValue])
    func `E5 a request that cannot be right is refused`(_ with: JSONValue) {
        #expect(throws: Refusal.self) { try TestRequest(work("evaluate/test", with)) }
    }

    @Test func `what tests leave running in a session of its own ends with the step`() async throws {
        let judge = try Judge()
        let result = try await run(
            judge, "setsid sleep 779 > /dev/null 2>&1 & cp good.xml reports/out.xml; echo $MARTLET_TEST_FOLDER",
            files: ["good.xml": Self.pass])
        #expect(result.outcome == .succeeded)
        let folder = TestFolder(work: judge.paths.work, item: "run/job/step/1").root
        #expect(try await judge.artifacts.read(try #require(result.log)) == Data("\(folder)\n".utf8))
        #expect(ProcessTable.find(environment: ProcessVariables.marker, is: folder).isEmpty)
    }

    @Test func `a report behind a link that leads out is refused, and nothing there is touched`() async throws {
        let judge = try Judge()
        let outside = judge.paths.root + "/outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: outside + "/out.xml"))
        let folder = judge.paths.root + "/linked"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder + "/reports", withDestinationPath: outside)
        let tar = try await runCommand(["tar", "--create", "--file=\(folder).tar", "--directory=\(folder)", "reports"])
        #expect(tar.end.isSuccess)
        let snapshot = try await judge.artifacts.put(file: folder + ".tar")
        let with: JSONValue = ["command": "true", "report": ["format": "junit-xml", "path": "reports/out.xml"]]
        let work = work("evaluate/test", with, snapshot: snapshot)
        await #expect(throws: StepFailure.self) { try await self.step(judge).perform(work) }
        #expect(FileManager.default.contents(atPath: outside + "/out.xml") == Data("kept".utf8))
        // Nothing of a test run that could not begin stays on the disk.
        #expect(!FileManager.default.fileExists(atPath: TestFolder(work: judge.paths.work, item: work.item).root))
    }
}
