import Artifacts
import Foundation
import Glibc
import Messages
import Processes
import ServiceKit
import Store
import Testing

@testable import TrainerProxy

struct RestartTests {
    @Test func `R4 a running process is found again, its log is whole, and it ran once`() async throws {
        let shop = try Workshop()
        let gate = shop.root + "/gate"
        mkfifo(gate, 0o600)
        let work = shop.script("echo ran >> \(shop.root)/count; echo first; read line < \(gate); echo second")
        _ = try await shop.spawnInEarlierLife(work)
        // The earlier life had copied a part of the log.
        try await shop.context.artifacts.liveLog(work.item).append(Data("first\n".utf8))
        let task = Task { try await shop.perform(work) }
        try shop.write("go\n", to: gate, atomically: false)
        let result = try await task.value
        #expect(result.outcome == .succeeded)
        #expect(try await shop.log(result) == "first\nsecond\n")
        #expect(shop.text(shop.root + "/count") == "ran\n")
    }

    @Test(arguments: [0, 4])
    func `a process that ended meanwhile is not started again`(code: Int) async throws {
        let shop = try Workshop()
        let work = shop.script("echo ran >> \(shop.root)/count; exit \(code)")
        _ = try await shop.spawnInEarlierLife(work).process.wait()
        let result = try await shop.perform(work)
        #expect(result.outcome == (code == 0 ? .succeeded : .failed))
        #expect(result.outputs["exit_code"]?.int == code)
        #expect(shop.text(shop.root + "/count") == "ran\n")
    }

    @Test func `what a process left whose secret is gone meanwhile is not told`() async throws {
        let shop = try Workshop()
        let secret = shop.context.paths.secrets + "/PASSING_TOKEN"
        try shop.write("hunter22", to: secret)
        let script = #"echo "$TOKEN"; echo "{\"seen\": \"$TOKEN\"}" > $MARTLET_OUTPUT/outputs.json"#
        let work = shop.work("run", ["script": .string(script), "env": ["TOKEN": ["secret": "PASSING_TOKEN"]]])
        #expect(try await shop.spawnInEarlierLife(work).process.wait() == .code(0))
        try FileManager.default.removeItem(atPath: secret)
        let result = try await shop.perform(work)
        #expect(result.outcome == .failed && result.outputs == [:])
        #expect(result.message?.contains("PASSING_TOKEN") == true && !"\(result)".contains("hunter22"))
        #expect(try await !shop.log(result).contains("hunter22"))
    }

    @Test func `R5 a process that vanished without a word is lost, and not started again`() async throws {
        let shop = try Workshop()
        let work = shop.script("echo ran >> \(shop.root)/count; sleep 100")
        let (process, _) = try await shop.spawnInEarlierLife(work)
        try await eventually { shop.text(shop.root + "/count") == "ran\n" }
        kill(-process.identity.pid, SIGKILL)
        _ = try await process.wait()
        let result = try await shop.perform(work)
        #expect(result.outcome == .failed)
        #expect(result.message?.hasPrefix("lost: the process disappeared") == true)
        #expect(shop.text(shop.root + "/count") == "ran\n")
    }

    @Test func `a step that was noted and never started is started`() async throws {
        let shop = try Workshop()
        let work = shop.script("echo hello")
        _ = try await shop.context.store.write {
            try $0.begin(work, boot: ProcessIdentity.currentBoot, space: ProcessSpace.current)
        }
        let result = try await shop.perform(work)
        #expect(try await shop.log(result) == "hello\n")
    }

    @Test func `a step that was noted before the machine restarted is lost`() async throws {
        let shop = try Workshop()
        let work = shop.script("echo ran >> \(shop.root)/count")
        _ = try await shop.context.store.write {
            try $0.begin(work, boot: "an earlier one", space: ProcessSpace.current)
        }
        #expect(try await shop.perform(work).outcome == .failed)
        #expect(shop.text(shop.root + "/count") == nil)
    }

    @Test func `a step whose container ended under it is begun again, in a clean output folder and the same log`()
        async throws
    {
        let shop = try Workshop()
        let work = shop.script(
            "ls $MARTLET_OUTPUT; echo ran >> \(shop.root)/count; echo '{\"a\": 1}' > $MARTLET_OUTPUT/outputs.json")
        _ = try await shop.context.store.write {
            try $0.begin(work, boot: ProcessIdentity.currentBoot, space: "1-1")
        }
        let folders = try await shop.backend.copies.prepare(work)
        for (path, text) in [("exit.started", "1\n"), ("log", "half a line")] {
            try text.write(toFile: "\(folders.record)/\(path)", atomically: true, encoding: .utf8)
        }
        try "torn".write(toFile: folders.output + "/torn", atomically: true, encoding: .utf8)
        let result = try await shop.perform(work)
        #expect(result.outcome == .succeeded && result.outputs["a"] == 1)
        #expect(shop.text(shop.root + "/count") == "ran\n")
        let log = try String(
            decoding: await shop.context.artifacts.read(#require(result.log), from: 0, upTo: 1 << 20), as: UTF8.self)
        #expect(log == "half a line\n--- its container ended; begun again ---\n")
        #expect(try await shop.execution(work.item).restarts == 1)
    }

    @Test func `a step that a living container has is waited for, and its exit code counts`() async throws {
        let shop = try Workshop()
        let work = shop.script("echo ran >> \(shop.root)/count")
        _ = try await shop.context.store.write {
            try $0.begin(work, boot: ProcessIdentity.currentBoot, space: "1-1")
        }
        let other = try #require(
            try LeaderLock.acquire(path: shop.context.paths.service(.trainerProxy) + "/spaces/1-1-7-1.lock"))
        let folders = try await shop.backend.copies.prepare(work)
        async let result = shop.perform(work)
        try "0\n".write(toFile: folders.record + "/exit", atomically: true, encoding: .utf8)
        #expect(try await result.outcome == .succeeded)
        #expect(shop.text(shop.root + "/count") == nil)
        withExtendedLifetime(other) {}
    }

    @Test func `a cancel that an earlier life had begun is brought to its end`() async throws {
        let shop = try Workshop()
        let work = shop.script("sleep 100")
        let (_, execution) = try await shop.spawnInEarlierLife(work)
        _ = try await shop.context.store.write { try $0.note(.cancel, of: work.item) }
        #expect(try await shop.perform(work).outcome == .canceled)
        #expect(ProcessTable.find(environment: Execution.markerName, is: execution.marker).isEmpty)
    }

    @Test func `the time that passed before a restart counts`() async throws {
        let shop = try Workshop()
        let work = shop.script("sleep 100", timeout: 1)
        _ = try await shop.spawnInEarlierLife(work)
        try await shop.age(work.item, bySeconds: 3_600)
        #expect(try await shop.perform(work).message?.hasPrefix("timed out after 1 s") == true)
    }

    @Test func `a process whose step ended over our heads is ended`() async throws {
        let shop = try Workshop()
        let (process, execution) = try await shop.spawnInEarlierLife(shop.script("sleep 100"))
        try await shop.handle(
            StepFinished(
                run: "run-1", job: "j", step: "s", attempt: 1, verb: "run", outcome: .canceled, outputs: .object([:])))
        try await shop.carryOutIntents()
        #expect(!process.identity.isAlive)
        #expect(ProcessTable.find(environment: Execution.markerName, is: execution.marker).isEmpty)
        #expect(try await shop.execution("run-1/j/s/1").hasEnded)
    }

    @Test func `a run that is run again keeps its working copy between its steps`() async throws {
        let shop = try Workshop { $0.keepWorkingCopies = .zero }
        try await shop.perform(shop.script("echo made > made.txt", step: "make"))
        try await shop.finishRun("run-1", number: 1, outcome: .failed)
        try await shop.handle(
            RunQueued(
                run: "run-1", number: 1, project: "p", pipeline: "P", cause: "c", reason: "run again", jobs: [],
                parameters: .object([:]), attempt: 2))
        try await shop.carryOutIntents()
        #expect(try await shop.perform(shop.script("cat made.txt", step: "use")).outcome == .succeeded)
        try await shop.finishRun("run-1", number: 1)
        try await shop.carryOutIntents()
        #expect(!FileManager.default.fileExists(atPath: shop.context.paths.work + "/run-1"))
    }

    @Test func `a process whose step's end was lost with old events ends with its run`() async throws {
        let shop = try Workshop()
        let (process, execution) = try await shop.spawnInEarlierLife(shop.script("sleep 100"))
        try await shop.finishRun("run-1", number: 1)
        try await shop.carryOutIntents()
        #expect(!process.identity.isAlive)
        #expect(ProcessTable.find(environment: Execution.markerName, is: execution.marker).isEmpty)
        #expect(try await shop.execution("run-1/j/s/1").hasEnded)
    }

    @Test func `what a retry has begun outlives the end of the run before it, heard of late`() async throws {
        let shop = try Workshop()
        let work = shop.script("sleep 100")
        let (process, execution) = try await shop.spawnInEarlierLife(work)
        try await shop.finishRun("run-1", number: 1, at: execution.started.advanced(by: .seconds(-5)))
        try await shop.carryOutIntents()
        #expect(process.identity.isAlive)
        #expect(try await !shop.execution(work.item).hasEnded)
        kill(-process.identity.pid, SIGKILL)
        _ = try await process.wait()
    }

    @Test func `working copies go after the run, and not while a step is at work`() async throws {
        let shop = try Workshop { $0.keepWorkingCopies = .zero }
        let work = shop.script("true")
        try await shop.perform(work)
        let folder = shop.context.paths.work + "/run-1"
        await shop.backend.copies.enter(work)
        try await shop.finishRun("run-1", number: 1)
        try await shop.carryOutIntents()
        #expect(FileManager.default.fileExists(atPath: folder))
        await shop.backend.copies.leave(work)
        try await shop.carryOutIntents()
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(!FileManager.default.fileExists(atPath: try shop.context.artifacts.liveLog(work.item).path + ".sealed"))
    }
}
