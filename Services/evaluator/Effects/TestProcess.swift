import Foundation
import Messages
import Processes
import Store

/// The command of one work item: begun once, found again after a restart, ended as a whole group.
struct TestProcess: Sendable {
    let item: String
    let folder: TestFolder
    let store: StateStore

    enum State: Sendable {
        case running(DetachedProcess)
        case ended(ProcessEnd)
        /// Never begun, or lost with the machine: it may be begun (again).
        case absent
    }

    /// What has become of the command so far. Two of it never run at the same time.
    func state() async throws -> State {
        let record = folder.exitRecord
        if let code = record.code { return .ended(.code(code)) }
        let item = item
        let known = try await store.read { db in try RecordQueries.testProcess(of: item, db) }
        // It may have been begun without us living long enough to write it down: it carries its folder's name with it.
        let marked = ProcessTable.find(environment: ProcessVariables.marker, is: folder.root)
        for identity in [known].compactMap({ $0 }) + marked {
            if let process = try DetachedProcess.attach(to: identity, exitRecord: record) { return .running(process) }
        }
        // It may have ended between the first look and the last.
        return record.code.map { .ended(.code($0)) } ?? .absent
    }

    func begin(argv: [String], environment: [String: String], log: String) async throws -> DetachedProcess {
        let process = try DetachedProcess.spawn(
            ProcessRequest(
                argv: argv, environment: environment, directory: folder.copy, output: log,
                exitRecord: folder.exitRecord))
        let (item, identity) = (item, process.identity)
        try await store.write { tx in try tx.remember(testProcess: identity, of: item) }
        return process
    }

    /// Waits for its end, at most until the step's time is up.
    /// - Returns: `nil` when it was ended because of its time.
    func end(of process: DetachedProcess, timeout: Duration?) async throws -> ProcessEnd? {
        do {
            guard let timeout else {
                let end = try await process.wait()
                await terminate(process)
                return end
            }
            let ended = try await withThrowingTaskGroup(of: ProcessEnd?.self) { group in
                group.addTask { try await process.wait() }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            // Also after a normal end: what the command left running must not outlive the step.
            await terminate(process)
            return ended
        } catch let canceled as CancellationError {
            await terminate(process)
            throw canceled
        }
    }

    /// Its children may have outlived it and us.
    func endRest() async { await Self.endAll(in: folder.root) }

    /// Ends whatever was begun for a folder.
    static func endAll(in root: String) async {
        await ProcessGroup.terminate(nil, marker: (ProcessVariables.marker, root))
    }

    private func terminate(_ process: DetachedProcess) async {
        await ProcessGroup.terminate(process.identity, marker: (ProcessVariables.marker, folder.root))
    }
}
