import Artifacts
import Foundation
import GRDB
import Messages
import Processes
import ServiceKit
import Store

/// What a step's process is started with. Holds revealed secrets: it is never stored.
struct Command: Sendable {
    var argv: [String]
    var variables: [String: String]
    var directory: String
    /// What the log must not show.
    var secrets: [String]
    /// Written into the step's record folder before the start.
    var files: [String: Data]
}

/// How a step's process ended, and what it said.
struct Finished: Sendable {
    enum Ending: Sendable, Hashable {
        case exited(ProcessEnd)
        case stopped(Execution.Stop)
        case lost
        case notStarted(String)
        /// It succeeded, and nothing of what it left can be told, as its secrets cannot be masked any more.
        case untellable(String)
    }

    var ending: Ending
    var log: Digest?
    /// The last lines of the log.
    var tail: [String]
    /// Why the log is missing or not whole.
    var logProblem: String?
    var mask: LogMask
    var started: Timestamp
    var seconds: Double
}

/// Runs one process for each work item: never a second one, whenever we ourselves are killed.
///
/// A row stands before the process does; the process carries the row's marker, and its shell leaves the exit code in a
/// file. Whoever comes after us looks at row, marker and file, and `Execution.continuation` says how it goes on.
struct Executor: Sendable {
    let context: ServiceContext
    let settings: Settings
    let presence: Presence

    /// - Parameters:
    ///   - command: made only when it is needed; may throw, as for a missing secret.
    ///   - begun: runs in the transaction that stores the execution's row, once for each item.
    func run(
        _ work: StepWork, in folders: StepFolders, timeout: Int?, command: @escaping @Sendable () throws -> Command,
        begun: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Finished {
        let (cancels, cancel) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
        return try await withTaskCancellationHandler {
            // A task of its own: to cancel a step is work that must itself not be canceled.
            try await Task {
                let (execution, isNew) = try await context.store.write { transaction in
                    if let known = try ExecutionQueries.find(work.item, in: transaction.db) { return (known, false) }
                    try begun(transaction)
                    return (
                        try transaction.begin(work, boot: ProcessIdentity.currentBoot, space: ProcessSpace.current),
                        true
                    )
                }
                guard !execution.hasEnded else {
                    throw StepFailure(
                        "\(work.item) has ended before and its result is no longer kept; start a new attempt")
                }
                let attempt = Attempt(
                    work: work, execution: execution, isNew: isNew, folders: folders, timeout: timeout,
                    context: context, settings: settings, presence: presence)
                return try await attempt.carryOut(Result(catching: command), cancels: cancels)
            }.value
        } onCancel: {
            cancel.yield()
        }
    }
}

/// One way through `Executor.run`.
private struct Attempt {
    let work: StepWork
    let execution: Execution
    /// Its row was stored just now, so there is nothing to be found of it.
    let isNew: Bool
    let folders: StepFolders
    let timeout: Int?
    let context: ServiceContext
    let settings: Settings
    let presence: Presence

    private var record: ExitRecord { ExitRecord(path: folders.record + "/exit") }
    private var output: String { folders.record + "/log" }
    private var marker: (name: String, value: String) { (Execution.markerName, execution.marker) }

    func carryOut(_ command: Result<Command, any Error>, cancels: AsyncStream<Void>) async throws -> Finished {
        while true {
            let (identity, continuation) = look()
            switch continuation {
            case .ended(let code):
                await endRest()
                return await finish(execution.stop.map { .stopped($0) } ?? .exited(.code(code)), command)
            case .lost:
                await endRest()
                return await finish(execution.stop.map { .stopped($0) } ?? .lost, command)
            case .attach:
                guard let identity, let process = try DetachedProcess.attach(to: identity, exitRecord: record) else {
                    await endRest()
                    let end = record.code.map { Finished.Ending.exited(.code($0)) } ?? .lost
                    return await finish(execution.stop.map { .stopped($0) } ?? end, command)
                }
                return try await attend(process, command, cancels: cancels)
            case .elsewhere:
                // Its log is in the shared folder as well; to end it is for the replica that has it.
                try await Task.sleep(for: .milliseconds(250))
            case .again:
                try await clear()
                return try await startOrFail(command, cancels: cancels)
            case .start:
                return try await startOrFail(command, cancels: cancels)
            }
        }
    }

    private func look() -> (ProcessIdentity?, Continuation) {
        // Before its exit record is: what ends in between has left its code by then.
        let isSpaceAlive = execution.space.map(presence.isAlive) ?? true
        let identity = isNew ? nil : record.process(marker: marker)
        let traces = Traces(
            exitCode: record.code, isRunning: identity != nil, wasStarted: record.wasStarted,
            boot: ProcessIdentity.currentBoot, space: ProcessSpace.current, isSpaceAlive: isSpaceAlive)
        return (identity, execution.continuation(traces))
    }

    /// What the ended container left half done. Its log stays, and says what happened.
    private func clear() async throws {
        let item = execution.item
        try await context.store.write { try $0.beginAgain(item, space: ProcessSpace.current) }
        record.remove()
        try? FileManager.default.removeItem(atPath: folders.output)
        try FileManager.default.createDirectory(
            atPath: folders.output, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if let log = FileHandle(forWritingAtPath: output) {
            try log.seekToEnd()
            try log.write(contentsOf: Data("\n--- its container ended; begun again ---\n".utf8))
            try log.close()
        }
    }

    private func startOrFail(
        _ command: Result<Command, any Error>, cancels: AsyncStream<Void>
    ) async throws -> Finished {
        if let stop = execution.stop { return await finish(.stopped(stop), command) }
        do {
            return try await attend(try start(command.get()), command, cancels: cancels)
        } catch let error as ProcessError {
            return await finish(.notStarted("\(error)"), command)
        } catch let error as SecretError {
            return await finish(.notStarted("\(error)"), command)
        } catch let error as StepFailure {
            return await finish(.notStarted("\(error)"), command)
        }
    }

    /// Its children may have outlived it.
    private func endRest() async { await ProcessGroup.terminate(nil, marker: marker, grace: settings.grace) }

    private func start(_ command: Command) throws -> DetachedProcess {
        for (name, content) in command.files {
            let path = "\(folders.record)/\(name)"
            guard
                FileManager.default.createFile(
                    atPath: path, contents: content, attributes: [.posixPermissions: 0o600])
            else { throw StepFailure("\(path) cannot be written; is the disk full?") }
        }
        var variables = command.variables
        variables[marker.name] = marker.value
        if let name = StepEnvironment.unusable(variables) {
            throw StepFailure("'\(name)' cannot be an environment variable: no '=' in its name, no NUL byte anywhere")
        }
        return try DetachedProcess.spawn(
            ProcessRequest(
                argv: command.argv, environment: variables, directory: command.directory, output: output,
                exitRecord: record))
    }

    /// Waits for the process, or ends it when its time is up or a person says so; copies its log meanwhile.
    private func attend(
        _ process: DetachedProcess, _ command: Result<Command, any Error>, cancels: AsyncStream<Void>
    ) async throws -> Finished {
        let copier = try? copier(command)
        let following = Task<Void, any Error> { try await copier?.follow() }
        defer { following.cancel() }
        var stop = execution.stop
        if stop == nil { stop = await firstReason(process, cancels) }
        if let reason = stop {
            let item = execution.item
            stop = try await context.store.write { try $0.note(reason, of: item) }
        }
        // What the command left running must not outlive the step, nor what went into a session of its own.
        await ProcessGroup.terminate(process.identity, marker: marker, grace: settings.grace)
        let end = try await process.wait()
        following.cancel()
        let problem = await problem(of: following)
        let ending: Finished.Ending = stop.map { .stopped($0) } ?? (end == .unknown ? .lost : .exited(end))
        return await finish(ending, command, copier: copier, problem: problem)
    }

    /// `nil`: it ended by itself.
    private func firstReason(_ process: DetachedProcess, _ cancels: AsyncStream<Void>) async -> Execution.Stop? {
        await withTaskGroup(of: Execution.Stop?.self) { group in
            group.addTask {
                _ = try? await process.wait()
                return nil
            }
            group.addTask {
                for await _ in cancels { return .cancel }
                return nil
            }
            if let timeout {
                let deadline = execution.started.advanced(by: .seconds(timeout))
                let left = deadline.milliseconds - context.clock.now().milliseconds
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(max(0, left)))
                    return Task.isCancelled ? nil : .timeout
                }
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    private func finish(
        _ end: Finished.Ending, _ command: Result<Command, any Error>, copier known: LogCopier? = nil,
        problem earlier: String? = nil
    ) async -> Finished {
        var ending = end
        if case .failure(let error) = command, case .exited(.code(0)) = end {
            ending = .untellable("what it left cannot be told, as its secrets cannot be masked any more: \(error)")
        }
        let mask = LogMask(secrets: (try? command.get())?.secrets ?? [])
        var finished = Finished(
            ending: ending, tail: [], logProblem: earlier, mask: mask, started: execution.started,
            seconds: Double(context.clock.now().milliseconds - execution.started.milliseconds) / 1_000)
        do {
            let copier = try known ?? copier(command)
            finished.tail = try await copier.finish(notice: notice(ending))
            finished.log = try await context.artifacts.liveLog(execution.item).seal()
        } catch {
            finished.logProblem = "the log is not complete: \(error)"
        }
        return finished
    }

    /// - Throws: where a secret cannot be read any more, for then what the process wrote cannot be masked.
    private func copier(_ command: Result<Command, any Error>) throws -> LogCopier {
        let secrets = FileManager.default.fileExists(atPath: output) ? try command.get().secrets : []
        return LogCopier(
            path: output, live: try context.artifacts.liveLog(execution.item), mask: LogMask(secrets: secrets),
            limit: settings.logLimit, teller: StepTeller(work, started: execution.started, context: context))
    }

    private func problem(of following: Task<Void, any Error>) async -> String? {
        if case .failure(let error) = await following.result { "the log is not complete: \(error)" } else { nil }
    }

    private func notice(_ ending: Finished.Ending) -> String? {
        switch ending {
        case .exited(.code(0)), .lost: nil
        case .exited(let end): "\(end)"
        case .stopped(.timeout): "timed out after \(timeout ?? 0) s"
        case .stopped(.cancel): "canceled"
        case .notStarted(let reason), .untellable(let reason): reason
        }
    }
}
