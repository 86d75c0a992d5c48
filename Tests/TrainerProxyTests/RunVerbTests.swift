import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store
import Testing

@testable import TrainerProxy

struct RunVerbTests {
    @Test func `a script works in the snapshot and hands on its outputs`() async throws {
        let shop = try Workshop()
        let snapshot = try await shop.snapshot(["data/x.txt": "content"])
        let script = """
            cat data/x.txt; echo " $MARTLET_SHA $MARTLET_RUN $MARTLET_STEP $GREETING"
            echo '{"answer": 42}' > $MARTLET_OUTPUT/outputs.json
            """
        let work = shop.work("run", ["script": .string(script)], variables: ["GREETING": "hello"], snapshot: snapshot)
        let result = try await shop.perform(work)
        #expect(result.outcome == .succeeded)
        #expect(result.outputs == ["answer": 42, "exit_code": 0])
        #expect(try await shop.log(result) == "content c0ffee run-1 s hello\n")
    }

    @Test func `steps of a job share the working copy, and each has an output folder of its own`() async throws {
        let shop = try Workshop()
        try await shop.perform(shop.script("echo built > result; touch $MARTLET_OUTPUT/mine", step: "one"))
        let result = try await shop.perform(shop.script("cat result; ls $MARTLET_OUTPUT | wc -l", step: "two"))
        #expect(try await shop.log(result) == "built\n0\n")
    }

    @Test(arguments: [
        ("echo one; echo two; exit 3", 3, "exit code 3\none\ntwo"),
        ("echo before; false; echo after", 1, "exit code 1\nbefore"),
        ("false | true", 1, "exit code 1"),
        ("no-such-program --x", 127, "no-such-program: command not found"),
        ("kill -9 $$", 137, "exit code 137"),
    ])
    func `a failing script fails with its code and its last lines`(script: String, code: Int, expected: String)
        async throws
    {
        let shop = try Workshop()
        let result = try await shop.perform(shop.script(script))
        #expect(result.outcome == .failed)
        #expect(result.outputs["exit_code"]?.int == code)
        #expect(result.message?.contains(expected) == true, "\(result.message ?? "-")")
    }

    @Test func `secrets reach the process, and neither log, message, outputs nor database`() async throws {
        let shop = try Workshop()
        try shop.write("hunter22", to: shop.context.paths.secrets + "/TOKEN")
        let script =
            #"echo "got $TOKEN"; echo "{\"seen\": \"$TOKEN\"}" > $MARTLET_OUTPUT/outputs.json; [ "$FAIL" = no ]"#
        for fail in ["no", "yes"] {
            let work = shop.work(
                "run", ["script": .string(script), "env": ["TOKEN": ["secret": "TOKEN"]]], step: "fail-\(fail)",
                variables: ["FAIL": fail])
            let result = try await shop.perform(work)
            #expect(try await shop.log(result).hasPrefix("got ***\n"))
            #expect(!String(decoding: try Wire.encode(result), as: UTF8.self).contains("hunter22"))
            #expect(result.outcome == (fail == "no" ? .succeeded : .failed))
        }
        try await shop.context.store.checkpoint()
        let database = try Data(contentsOf: URL(fileURLWithPath: shop.context.paths.database(.trainerProxy)))
        #expect(database.range(of: Data("hunter22".utf8)) == nil)
    }

    @Test func `a secret that is not set fails the step before anything runs`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(
            shop.work("run", ["script": "touch ran", "env": ["TOKEN": ["secret": "NO_SUCH_SECRET"]]]))
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("secret NO_SUCH_SECRET is not set") == true)
    }

    @Test func `a step that takes too long is ended with all it started`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(shop.script("echo working; sleep 100 & sleep 100", timeout: 1))
        #expect(result.outcome == .failed)
        #expect(result.message?.hasPrefix("timed out after 1 s\nworking") == true)
        let execution = try await shop.execution("run-1/j/s/1")
        #expect(ProcessTable.find(environment: Execution.markerName, is: execution.marker).isEmpty)
    }

    @Test func `R6 a canceled step is canceled once its processes are gone`() async throws {
        let shop = try Workshop()
        let ready = shop.root + "/ready"
        let task = Task { try await shop.perform(shop.script("sleep 100 & touch \(ready); sleep 100")) }
        try await eventually { FileManager.default.fileExists(atPath: ready) }
        task.cancel()
        let result = try await task.value
        #expect(result.outcome == .canceled)
        let execution = try await shop.execution("run-1/j/s/1")
        #expect(execution.stop == .cancel && execution.hasEnded)
        #expect(ProcessTable.find(environment: Execution.markerName, is: execution.marker).isEmpty)
    }

    @Test func `what a step leaves running ends with it`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(shop.script("sleep 100 & echo done"))
        #expect(result.outcome == .succeeded)
        let execution = try await shop.execution("run-1/j/s/1")
        #expect(ProcessTable.find(environment: Execution.markerName, is: execution.marker).isEmpty)
    }

    @Test func `a log stops growing at its limit while the step goes on`() async throws {
        let shop = try Workshop { $0.logLimit = 1_000 }
        let result = try await shop.perform(shop.script("seq 1 100000; echo the end; exit 1"))
        let log = try await shop.log(result)
        #expect(log.contains("[martlet] the log is cut here"))
        #expect(log.utf8.count < 1_200 + LogLines.longestEnd)
        #expect(result.message?.hasSuffix("the end") == true)
    }

    @Test func `outputs that are no object fail the step with the reason`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(shop.script("echo '[1]' > $MARTLET_OUTPUT/outputs.json"))
        #expect(result.outcome == .failed)
        #expect(result.message?.hasPrefix("outputs.json: holds a list") == true)
    }

    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            ("mkfifo $MARTLET_OUTPUT/outputs.json", "outputs.json: is no regular file"),
            ("truncate -s 10G $MARTLET_OUTPUT/outputs.json", "outputs.json: has 10737418240 bytes, more than 32768"),
            ("ln -s /dev/zero $MARTLET_OUTPUT/outputs.json", "outputs.json: is no regular file"),
        ])
    func `what a step left is looked at before it is opened`(script: String, problem: String) async throws {
        let shop = try Workshop()
        let result = try await shop.perform(shop.script(script))
        #expect(result.outcome == .failed)
        #expect(result.message?.hasPrefix(problem) == true, "\(result.message ?? "")")
    }

    @Test(.timeLimit(.minutes(2))) func `a pipe in the working copy keeps no step waiting`() async throws {
        let shop = try Workshop()
        try await shop.perform(shop.script("mkfifo a-results.xml; truncate -s 10G b-results.xml", step: "make"))
        let checked = try await shop.perform(
            shop.work("checks/publish", ["junit": "*-results.xml", "fail_on_failed_tests": true], step: "check"))
        #expect(checked.outcome == .failed)
        for name in ["a-results.xml", "b-results.xml"] {
            #expect(checked.message?.contains("\(name): is no file of at most 33554432 bytes") == true)
        }
        let published = try await shop.perform(
            shop.work("artifact/publish", ["name": "r", "file": "x", "path": "a-results.xml"], step: "publish"))
        #expect(
            published.message == "artifact/publish: 'a-results.xml' is neither a folder nor a regular file")
    }

    @Test func `what a step leaves running in a session of its own ends with the step`() async throws {
        let shop = try Workshop()
        let work = shop.script("setsid sleep 778 > /dev/null 2>&1 & echo started")
        let result = try await shop.perform(work)
        #expect(result.outcome == .succeeded)
        let marker = try await shop.execution(work.item).marker
        #expect(ProcessTable.find(environment: Execution.markerName, is: marker).isEmpty)
    }

    @Test func `the commit's link that leads out is there for the script`() async throws {
        let shop = try Workshop()
        try shop.write("mounted", to: shop.root + "/mnt/x")
        let folder = shop.root + "/links"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder + "/data", withDestinationPath: shop.root + "/mnt")
        let tar = try await runCommand(["tar", "--create", "--file=\(folder).tar", "--directory=\(folder)", "data"])
        #expect(tar.end.isSuccess)
        let snapshot = try await shop.context.artifacts.put(file: folder + ".tar")
        let result = try await shop.perform(shop.work("run", ["script": "cat data/x"], snapshot: snapshot))
        #expect(try await shop.log(result) == "mounted\n")
    }

    @Test func `a step's message stays within eight KiB`() async throws {
        let shop = try Workshop()
        let script = "for i in $(seq 40); do printf '\\033%.0s' $(seq 390); echo; done; exit 1"
        let message = try #require(try await shop.perform(shop.script(script)).message)
        #expect(message.hasPrefix("exit code 1"))
        #expect(try Wire.encode(message).count <= (8 << 10) + 2)
    }
}
