import Foundation
import Glibc
import Testing

@testable import Processes

struct DetachedProcessTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func request(
        _ script: String, environment: [String: String] = [:], record: ExitRecord? = nil
    ) -> ProcessRequest {
        ProcessRequest(
            argv: ["/bin/bash", "-c", script], environment: environment.merging(["PATH": "/usr/bin:/bin"]) { $1 },
            directory: folder.path, output: folder.path + "/out", exitRecord: record)
    }

    @Test func `a process runs where it is told to, with its own environment only, and its code is known`() async throws
    {
        let process = try DetachedProcess.spawn(
            request("pwd; echo $GREETING; echo ${HOME-none}; exit 3", environment: ["GREETING": "hi"]))
        #expect(try await process.wait() == .code(3))
        #expect(folder.text("out") == "\(folder.path)\nhi\nnone\n")
    }

    @Test func `a log that is emptied under its process goes on from its beginning, and what it held is kept`()
        async throws
    {
        let log = folder.path + "/out"
        let process = try DetachedProcess.spawn(request("mkfifo gate; seq 1000; read line < gate; echo after"))
        try await eventually { folder.text("out")?.hasSuffix("\n1000\n") == true }
        #expect(!GrowingLog.trim(log, over: 1 << 20))
        #expect(GrowingLog.trim(log, over: 1000))
        #expect(folder.text("out") == "" && folder.text("out.1")?.hasSuffix("\n1000\n") == true)
        try "go\n".write(toFile: folder.path + "/gate", atomically: false, encoding: .utf8)
        #expect(try await process.wait() == .code(0))
        #expect(folder.text("out") == "after\n")
    }

    @Test func `a process leads a session and a group of its own`() async throws {
        let process = try DetachedProcess.spawn(request("cat /proc/self/stat > stat; sleep 100"))
        try await eventually { folder.text("stat")?.hasSuffix("\n") == true }
        let line = try #require(folder.text("stat"))
        let stat = try #require(ProcessStat(line: line))
        #expect(stat.session == process.identity.pid)
        #expect(stat.group == process.identity.pid)
        #expect(process.identity.isAlive)
        await ProcessGroup.terminate(process.identity)
        #expect(try await process.wait() == .signal(SIGTERM))
        #expect(!process.identity.isAlive)
    }

    @Test func `no descriptor of ours reaches a process`() async throws {
        let leak = open("/dev/null", O_RDONLY)
        defer { close(leak) }
        #expect(fcntl(leak, F_GETFD) & FD_CLOEXEC == 0)
        let process = try DetachedProcess.spawn(request("ls /proc/$$/fd"))
        _ = try await process.wait()
        let descriptors = (folder.text("out") ?? "").split(separator: "\n").compactMap { Int32($0) }
        #expect(!descriptors.contains(leak))
    }

    @Test func `the exit code stays in a file for whoever comes after us`() async throws {
        let record = ExitRecord(path: folder.path + "/exit")
        #expect(record.code == nil && !record.wasStarted)
        let process = try DetachedProcess.spawn(request("exit 7", record: record))
        #expect(try await process.wait() == .code(7))
        #expect(record.code == 7 && record.wasStarted)
    }

    @Test func `a record is begun once, so a second process for it does nothing`() async throws {
        let record = ExitRecord(path: folder.path + "/exit")
        for _ in 0..<2 {
            _ = try await DetachedProcess.spawn(request("echo once", record: record)).wait()
        }
        #expect(folder.text("out")?.hasPrefix("once\n") == true)
        #expect(folder.text("out")?.contains("once\nonce") == false)
    }

    @Test func `a terminated group still leaves its exit code`() async throws {
        let record = ExitRecord(path: folder.path + "/exit")
        let process = try DetachedProcess.spawn(request("echo up; sleep 100", record: record))
        try await eventually { folder.text("out") == "up\n" }
        await ProcessGroup.terminate(process.identity)
        #expect(try await process.wait() == .code(128 + SIGTERM))
        #expect(record.code == 128 + SIGTERM)
    }

    @Test func `half a record is none`() throws {
        let record = ExitRecord(path: folder.path + "/exit")
        try "1".write(toFile: record.path, atomically: true, encoding: .utf8)
        #expect(record.code == nil)
        try "12\n".write(toFile: record.path, atomically: true, encoding: .utf8)
        #expect(record.code == 12)
    }

    @Test func `ending a group reaches grandchildren, also those that went their own way and those that will not hear`()
        async throws
    {
        let marker = (name: "MARKER", value: UUID().uuidString)
        let script = """
            trap '' TERM
            (sleep 100; true) & echo $! > child
            setsid bash -c 'echo $$ > apart; sleep 100; true' &
            echo up; while true; do sleep 100; done
            """
        let process = try DetachedProcess.spawn(request(script, environment: [marker.name: marker.value]))
        try await eventually {
            folder.text("child")?.hasSuffix("\n") == true && folder.text("apart")?.hasSuffix("\n") == true
        }
        #expect(ProcessTable.find(environment: marker.name, is: marker.value).count >= 3)
        await ProcessGroup.terminate(process.identity, marker: marker, grace: .milliseconds(50))
        _ = try await process.wait()
        #expect(ProcessTable.find(environment: marker.name, is: marker.value).isEmpty)
    }

    @Test func `a process is found again by its identity, and its end is noticed`() async throws {
        let record = ExitRecord(path: folder.path + "/exit")
        let marker = (name: "MARKER", value: UUID().uuidString)
        let request = request("read line < gate; exit 5", environment: [marker.name: marker.value], record: record)
        mkfifo(folder.path + "/gate", 0o600)
        let identity = try DetachedProcess.spawn(request).identity
        try await eventually { record.process(marker: marker) != nil }
        #expect(record.process(marker: marker) == identity)
        let again = try #require(try DetachedProcess.attach(to: identity, exitRecord: record))
        try "go\n".write(toFile: folder.path + "/gate", atomically: false, encoding: .utf8)
        #expect(try await again.wait() == .code(5))
        #expect(try DetachedProcess.attach(to: identity, exitRecord: record) == nil)
        #expect(record.process(marker: marker) == nil)
    }

    @Test func `a stranger's process is no child, yet its end is noticed`() async throws {
        // The grandchild is reparented: nobody here can wait for it in the old way.
        let process = try DetachedProcess.spawn(request("setsid sleep 100 & echo $! > pid"))
        _ = try await process.wait()
        let pid = try #require(folder.text("pid").flatMap { Int32($0.trimmingCharacters(in: .newlines)) })
        let identity = try #require(ProcessIdentity(pid: pid))
        let stranger = try #require(try DetachedProcess.attach(to: identity))
        await ProcessGroup.terminate(identity)
        #expect(try await stranger.wait() == .unknown)
    }

    @Test func `an identity with another start or boot is not alive`() throws {
        let me = try #require(ProcessIdentity(pid: getpid()))
        #expect(me.isAlive)
        #expect(!ProcessIdentity(pid: me.pid, startTime: me.startTime + 1).isAlive)
        #expect(!ProcessIdentity(pid: me.pid, startTime: me.startTime, boot: "another").isAlive)
    }

    @Test func `a wait that is canceled leaves the process running`() async throws {
        let process = try DetachedProcess.spawn(request("sleep 100"))
        let waiting = Task { try await process.wait() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(process.identity.isAlive)
        await ProcessGroup.terminate(process.identity)
    }

    @Test func `what cannot be started says why`() throws {
        #expect(throws: ProcessError.self) {
            try DetachedProcess.spawn(
                ProcessRequest(argv: ["no-such-program"], environment: ["PATH": "/bin"], directory: "/"))
        }
        #expect(throws: ProcessError.self) {
            try DetachedProcess.spawn(
                ProcessRequest(argv: ["/bin/true"], environment: [:], directory: "/no/such/folder"))
        }
    }

    @Test func `a program's name may hold spaces and parentheses`() {
        let line = "42 (a) b (c)) S 1 40 41 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 1 1"
        let stat = ProcessStat(line: line)
        #expect(stat?.pid == 42 && stat?.group == 40 && stat?.session == 41 && stat?.startTime == 777)
    }
}
