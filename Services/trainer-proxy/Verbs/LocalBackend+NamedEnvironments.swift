import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

/// One definition of a step with what is known of it.
private struct NamedEnvironment: Sendable {
    var definition: EnvironmentDefinition
    var reference: EnvironmentReference
    var standing: EnvironmentStanding
    var build: EnvironmentBuild?

    /// For people.
    var note: String { "\(definition.file): \(standing.message(reference))" }

    var output: JSONValue {
        let words: [EnvironmentStanding: JSONValue] = [
            .unknownName: "unknown name", .unknownVersion: "unknown version", .same: "same", .different: "different",
        ]
        return [
            "name": .string(reference.name), "version": .string(reference.version),
            "definition": .string(reference.definition.text), "standing": words[standing] ?? .null,
            "environment": build.map { .string($0.digest.text) } ?? .null,
        ]
    }
}

extension LocalBackend {
    /// `env/build` and `env/ensure` with `files`: all are checked, then one failure fails the step (S3-3 … S3-6).
    func namedEnvironments(_ work: StepWork, _ patterns: JSONValue) async throws -> StepEnding {
        let folders = try await copies.prepare(work)
        let files = RepositoryFiles(root: folders.source)
        let isBuild = work.verb == "env/build"
        let validateOnly = try work.flag("validate_only") ?? false
        let failOnMissing = try work.flag("fail_on_missing") ?? true
        var problems: [String] = []
        var known: [NamedEnvironment] = []
        for file in try files.matching(patterns.array?.compactMap(\.string) ?? [patterns.string ?? ""]) {
            do {
                var one = try await named(try EnvironmentDefinition(file: file, read: files.text), of: work)
                if one.definition.isBuildable {
                    one.build = try await build(one.definition, files: files, in: folders)
                } else if isBuild {
                    problems.append(
                        "\(file): nothing of environment '\(one.reference.name)' can be built here: it names neither "
                            + "requirements, pip packages nor a python")
                }
                known.append(one)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                problems.append("\(error)")
            }
        }
        if !isBuild {
            problems += known.filter { !$0.standing.holds(validateOnly: validateOnly, failOnMissing: failOnMissing) }
                .map(\.note)
            problems += Self.contradictions(known)
        }
        let step = NamedStep(
            work: work, folders: folders, known: known, problems: problems, registers: !isBuild && !validateOnly)
        // Only what the job works in is built for it; env/build builds them all.
        let builds = isBuild || (known.count == 1 && !validateOnly) ? known.compactMap(\.build) : []
        guard !builds.isEmpty, isBuild || problems.isEmpty else { return try await end(step, builds: []) }
        return try await build(builds, step)
    }

    /// Files that define one version of a name each in another way: only one of them could be registered.
    private static func contradictions(_ known: [NamedEnvironment]) -> [String] {
        var first: [EnvironmentVersion: NamedEnvironment] = [:]
        return known.compactMap { one in
            let version = EnvironmentVersion(name: one.reference.name, version: one.reference.version)
            guard let other = first[version] else {
                first[version] = one
                return nil
            }
            guard other.reference.definition != one.reference.definition else { return nil }
            return "\(one.definition.file): environment '\(version.name)' version \(version.version) is defined "
                + "otherwise in \(other.definition.file); give one of them another name or version"
        }
    }

    private struct EnvironmentVersion: Hashable {
        var name: String
        var version: String
    }

    private struct NamedStep: Sendable {
        var work: StepWork
        var folders: StepFolders
        var known: [NamedEnvironment]
        var problems: [String]
        var registers: Bool
    }

    private func named(_ definition: EnvironmentDefinition, of work: StepWork) async throws -> NamedEnvironment {
        let (name, project) = (definition.name, work.run.project)
        let reference = EnvironmentReference(
            name: name, version: definition.version, definition: Digest(of: Data(definition.definition.utf8)))
        let registered = try await context.store.read { db in
            try DatasetQueries.environment(name, project: project, in: db)
        }
        return NamedEnvironment(
            definition: definition, reference: reference,
            standing: EnvironmentStanding(of: reference, registered: registered))
    }

    private func build(
        _ definition: EnvironmentDefinition, files: RepositoryFiles, in folders: StepFolders
    ) async throws -> EnvironmentBuild {
        let python = definition.python ?? settings.python
        var entries = definition.packages
        if let path = definition.requirements { entries += try Requirements(file: path, read: files.text).entries }
        let version = try await self.version(of: python, in: folders)
        let requirements = Requirements(entries: entries)
        let digest = Digest(of: Data(requirements.definition(python: version).utf8))
        // Relative to the repository's root, as pip is started there.
        let lines = definition.packages + (definition.requirements.map { ["-r \(folders.source)/\($0)"] } ?? [])
        return EnvironmentBuild(
            name: definition.name, digest: digest, path: context.paths.environment(digest), python: python,
            requirements: "", content: lines.isEmpty ? nil : Data((lines.joined(separator: "\n") + "\n").utf8))
    }

    private func build(_ builds: [EnvironmentBuild], _ step: NamedStep) async throws -> StepEnding {
        let item = step.work.item
        let isBegun = try await context.store.read { try ExecutionQueries.find(item, in: $0) } != nil
        // In one order for everybody, so that no two wait for each other.
        let digests = Set(builds.map(\.digest)).sorted { $0.hex < $1.hex }
        return try await withLocks(of: isBegun ? [] : digests, for: step.work) {
            let missing = builds.filter { !$0.isComplete }
            guard isBegun || !missing.isEmpty else { return try await end(step, builds: builds) }
            let timeout = step.work.timeoutSeconds ?? settings.buildTimeout
            let finished = try await executor.run(step.work, in: step.folders, timeout: timeout) {
                EnvironmentBuild.command(for: missing, in: step.folders, machine: settings.machine)
            } begun: { transaction in
                for build in missing { try transaction.setBuilder(of: build.digest, to: item) }
            }
            return try await end(
                step, builds: builds, finished: finished, verdict: verdict(finished, timeout: timeout))
        }
    }

    /// Registers all or none: what is wrong with them, as it is now. Another run may have defined a version meanwhile.
    private func register(_ known: [NamedEnvironment], of work: StepWork) async throws -> [String] {
        try await context.store.write { transaction in
            let different = try known.filter { one in
                let registered = try DatasetQueries.environment(
                    one.reference.name, project: work.run.project, in: transaction.db)
                return EnvironmentStanding(of: one.reference, registered: registered) == .different
            }
            guard different.isEmpty else {
                return different.map { "\($0.definition.file): \(EnvironmentStanding.different.message($0.reference))" }
            }
            for one in known { try transaction.register(one.reference, file: one.definition.file, of: work) }
            return []
        }
    }

    private func end(
        _ step: NamedStep, builds: [EnvironmentBuild], finished: Finished? = nil, verdict: Verdict? = nil
    ) async throws -> StepEnding {
        var step = step
        let work = step.work
        for build in builds where !build.isComplete {
            step.problems.append("environment '\(build.name)' could not be built; the step's log says why")
        }
        let isStopped = verdict.map { $0.outcome != .succeeded } ?? false
        if step.registers, step.problems.isEmpty, !isStopped {
            step.problems = try await register(step.known, of: work)
        }
        let failed = !step.problems.isEmpty || isStopped
        let notes = step.known.map(\.note)
        let words = failed ? step.problems + [verdict?.message].compactMap { $0 } : notes
        let only = step.known.count == 1 ? builds.first : nil
        var outputs: [String: JSONValue] = ["environments": .array(step.known.map(\.output))]
        if let only { outputs.merge(only.outputs(reused: finished == nil)) { $1 } }
        let outcome = verdict?.outcome == .canceled ? Outcome.canceled : failed ? .failed : .succeeded
        let result = StepResult(
            outcome, outputs: .object(outputs), message: words.joined(separator: "\n").shortened(), log: finished?.log)
        let ended = step
        return StepEnding(result) { transaction in
            if finished != nil { try transaction.endExecution(work.item) }
            for build in builds where build.isComplete {
                if let finished {
                    try transaction.publish(
                        build.built(work, seconds: finished.seconds), subject: build.subject, key: build.digest.text,
                        because: work.causation)
                } else {
                    try transaction.publish(
                        build.reused(work), subject: build.subject, key: build.digest.text, because: work.causation)
                }
            }
            guard !failed else { return }
            guard let only, let name = ended.known.first?.reference else { return }
            try transaction.use(only.digest, run: work.run.id, job: work.job)
            try transaction.call(name, run: work.run.id, job: work.job)
        }
    }
}

extension StepWork {
    /// `nil` where it is absent.
    func flag(_ key: String) throws(StepFailure) -> Bool? {
        guard let value = with[key], value != .null, value != "" else { return nil }
        guard let flag = value.bool ?? value.string.flatMap({ Bool($0) }) else {
            throw StepFailure("\(verb): '\(key)' is true or false")
        }
        return flag
    }
}
