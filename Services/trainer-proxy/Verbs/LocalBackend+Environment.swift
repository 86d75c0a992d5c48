import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store

extension LocalBackend {
    /// `env/build` and `env/ensure`: a Python environment, found by what it is made of and built at most once.
    func environment(_ work: StepWork) async throws -> StepEnding {
        if let patterns = work.with["files"], patterns != .null {
            return try await namedEnvironments(work, patterns)
        }
        guard let file = work.with["requirements"]?.string.flatMap(PathName.inside) else {
            throw StepFailure("\(work.verb): 'requirements' has to name a file of the repository")
        }
        let folders = try await copies.prepare(work)
        let requirements = try requirements(file, in: folders)
        let python = work.with["python"]?.string ?? settings.python
        let version = try await self.version(of: python, in: folders)
        let digest = Digest(of: Data(requirements.definition(python: version).utf8))
        let build = EnvironmentBuild(
            digest: digest, path: context.paths.environment(digest), python: python,
            requirements: requirements.entries.isEmpty ? "" : file)
        let item = work.item
        if try await context.store.read({ try ExecutionQueries.find(item, in: $0) }) != nil {
            // Begun in an earlier life of ours: it is looked after, whoever waits for the same environment now.
            return try await carryOut(build, work, folders)
        }
        return try await withLocks(of: [digest], for: work) {
            if build.isComplete { return reuse(build, work) }
            return try await carryOut(build, work, folders)
        }
    }

    /// Nobody else builds in these folders meanwhile, neither here nor in another replica.
    func withLocks(
        of digests: [Digest], for work: StepWork, _ body: @escaping @Sendable () async throws -> StepEnding
    ) async throws -> StepEnding {
        guard let digest = digests.first else { return try await body() }
        return try await environments.withLock(digest.hex) {
            let lock = try await lock(digest)
            defer { withExtendedLifetime(lock) {} }
            try await waitForBuilder(of: digest, besides: work)
            return try await withLocks(of: Array(digests.dropFirst()), for: work, body)
        }
    }

    private func lock(_ digest: Digest) async throws -> LeaderLock {
        while true {
            if let lock = try LeaderLock.acquire(path: context.paths.environment(digest) + ".lock") { return lock }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func requirements(_ file: String, in folders: StepFolders) throws -> Requirements {
        do {
            return try Requirements(file: file) { path in
                guard let place = PathName.inside(path).map({ "\(folders.source)/\($0)" }),
                    let size = RepositoryFiles.size(place), size <= RepositoryFiles.largestDefinition,
                    let bytes = FileManager.default.contents(atPath: place)
                else { throw StepFailure("\(path): there is no such file in the repository") }
                return String(decoding: bytes, as: UTF8.self)
            }
        } catch let error as RequirementsError {
            throw StepFailure("\(error)")
        }
    }

    func version(of python: String, in folders: StepFolders) async throws -> String {
        let question =
            "import sys, sysconfig; print(sys.implementation.name, sys.version.split()[0], sysconfig.get_platform())"
        do {
            let answer = try await runCommand(
                [python, "-c", question], directory: folders.source, environment: settings.machine,
                timeout: .seconds(30), maxOutput: 4_096)
            guard answer.end.isSuccess else { throw StepFailure("\(python): \(answer.end)\n\(answer.errors)") }
            return answer.text.trimmingCharacters(in: .whitespacesAndNewlines)
        } catch let error as ProcessError {
            throw StepFailure("\(error); install Python or name another one with 'python:'")
        }
    }

    /// A process that outlived an earlier life of ours may still be building.
    private func waitForBuilder(of digest: Digest, besides work: StepWork) async throws {
        guard let builder = try await context.store.read({ try EnvironmentQueries.builder(of: digest, in: $0) }),
            builder.item != work.item, !builder.hasEnded,
            let identity = ProcessTable.find(environment: Execution.markerName, is: builder.marker).first
        else { return }
        _ = try await DetachedProcess.attach(to: identity)?.wait()
    }

    private func carryOut(_ build: EnvironmentBuild, _ work: StepWork, _ folders: StepFolders) async throws
        -> StepEnding
    {
        let timeout = work.timeoutSeconds ?? settings.buildTimeout
        let finished = try await executor.run(work, in: folders, timeout: timeout) {
            EnvironmentBuild.command(for: [build], in: folders, machine: settings.machine)
        } begun: { transaction in
            try transaction.setBuilder(of: build.digest, to: work.item)
        }
        let verdict = verdict(finished, timeout: timeout)
        guard case .succeeded = verdict.outcome else { return ending(work, finished, verdict, outputs: [:]) }
        return ending(work, finished, verdict, outputs: build.outputs(reused: false)) { transaction in
            try transaction.use(build.digest, run: work.run.id, job: work.job)
            try transaction.publish(
                build.built(work, seconds: finished.seconds), subject: build.subject, key: build.digest.text,
                because: work.causation)
        }
    }

    private func reuse(_ build: EnvironmentBuild, _ work: StepWork) -> StepEnding {
        StepEnding(StepResult(.succeeded, outputs: .object(build.outputs(reused: true)))) { transaction in
            try transaction.use(build.digest, run: work.run.id, job: work.job)
            try transaction.publish(
                build.reused(work), subject: build.subject, key: build.digest.text, because: work.causation)
        }
    }
}
