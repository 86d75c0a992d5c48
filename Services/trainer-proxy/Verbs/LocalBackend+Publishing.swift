import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

/// A training script under a name and a version.
struct PublishedTraining: Hashable, Sendable {
    var name: String
    var version: String
    /// Of its text.
    var digest: Digest
}

extension LocalBackend {
    /// `train/publish`: a script of the repository, as it is now, to be started later by its name and version (S2-3).
    func publishTraining(_ work: StepWork) async throws -> StepEnding {
        try TrainingRequest.checkBackend(work)
        guard let name = work.with["name"]?.scalarText, !name.isEmpty,
            let path = work.with["definition"]?.string, !path.isEmpty
        else {
            throw StepFailure(
                "train/publish: 'name' and 'definition' are needed, for example definition: pipelines/train.sh")
        }
        let folders = try await copies.prepare(work)
        let text = try RepositoryFiles(root: folders.source).text(path)
        let published = PublishedTraining(
            name: name, version: work.with["version"]?.scalarText ?? work.run.id,
            digest: try await context.artifacts.put(Data(text.utf8)))
        let outputs: [String: JSONValue] = [
            "name": .string(name), "version": .string(published.version), "digest": .string(published.digest.text),
        ]
        guard let compile = work.with["compile"]?.string, !compile.isEmpty else {
            return StepEnding(StepResult(.succeeded, outputs: .object(outputs))) { transaction in
                try transaction.keep(published, of: work)
            }
        }
        let environment = try await currentEnvironment(work)
        let finished = try await executor.run(work, in: folders, timeout: work.timeoutSeconds) {
            try bash(compile, work, in: folders, environment: environment)
        }
        let verdict = verdict(finished, timeout: work.timeoutSeconds)
        return ending(work, finished, verdict, outputs: verdict.outcome == .succeeded ? outputs : [:]) { transaction in
            if verdict.outcome == .succeeded { try transaction.keep(published, of: work) }
        }
    }

    /// The script that `pipeline` of train/run names; `nil` where it names none (S2-5).
    func publishedScript(_ work: StepWork) async throws -> String? {
        guard let value = work.with["pipeline"], value != .null, value != "" else { return nil }
        guard let name = value["name"]?.scalarText ?? value.scalarText else {
            throw StepFailure("train/run: 'pipeline' is a name, or {name, version, expect: exactly-one}")
        }
        let version = value["version"]?.scalarText ?? work.with["pipeline_version"]?.scalarText
        let project = work.run.project
        let found = try await context.store.read { db in
            try TrainingQueries.published(name, version: version, project: project, in: db)
        }
        let build = version ?? "of '\(name)'"
        guard let newest = found.first else {
            throw StepFailure("Unable to find a published pipeline for this build \(build)")
        }
        guard found.count == 1 || value["expect"]?.string != "exactly-one" else {
            throw StepFailure("Multiple active pipelines are published for build \(build).")
        }
        return String(decoding: try await context.artifacts.read(newest.digest), as: UTF8.self)
    }
}
