import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

extension LocalBackend {
    /// `artifact/publish`: a named file of this run, from its content or from the working copy.
    func publish(_ work: StepWork) async throws -> StepEnding {
        guard let name = work.with["name"]?.string, let file = work.with["file"]?.string, !name.isEmpty, !file.isEmpty,
            !name.contains("/")
        else { throw StepFailure("artifact/publish: 'name' (without '/') and 'file' are needed") }
        let digest = try await store(work)
        let size = try await context.artifacts.size(digest) ?? 0
        let artifact = ArtifactPublished(
            run: work.run.id, project: work.run.project, pipeline: work.run.pipeline, name: name, file: file,
            digest: digest, size: size)
        return StepEnding(StepResult(.succeeded, outputs: ["digest": .string(digest.text)])) { transaction in
            try transaction.keep(artifact, number: work.run.number)
            try transaction.publish(
                artifact, subject: "artifact/\(work.run.id)/\(name)/\(file)", key: work.run.id, because: work.causation)
        }
    }

    private func store(_ work: StepWork) async throws -> Digest {
        if let content = work.with["content"] {
            let bytes = if let text = content.string { Data(text.utf8) } else { try Wire.encode(content) }
            return try await context.artifacts.put(bytes)
        }
        guard let path = work.with["path"]?.string, let inside = PathName.inside(path) else {
            throw StepFailure("artifact/publish: 'content', or 'path' of a file in the working copy, is needed")
        }
        let file = try await copies.prepare(work).source + "/" + inside
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) else {
            throw StepFailure("artifact/publish: there is no file '\(path)' in the working copy of job '\(work.job)'")
        }
        if isFolder.boolValue { return try await context.artifacts.pack(directory: file).digest }
        guard RepositoryFiles.size(file) != nil else {
            throw StepFailure("artifact/publish: '\(path)' is neither a folder nor a regular file")
        }
        return try await context.artifacts.put(file: file)
    }

    /// `artifact/fetch`: what another run published, by the run's id or number, or from the latest that succeeded.
    func fetch(_ work: StepWork) async throws -> StepEnding {
        guard let pipeline = work.with["pipeline"]?.string, let path = work.with["artifact"]?.string,
            let slash = path.firstIndex(of: "/")
        else {
            throw StepFailure(
                "artifact/fetch: 'pipeline' and 'artifact' are needed, for example artifact: model/model.json")
        }
        let (name, file) = (String(path[..<slash]), String(path[path.index(after: slash)...]))
        let run = try await source(work, pipeline: pipeline)
        let found = try await context.store.read { db in
            (
                try ArtifactQueries.digest(run: run, name: name, file: file, in: db),
                try ArtifactQueries.names(run: run, in: db)
            )
        }
        guard let digest = found.0 else {
            let others = found.1.isEmpty ? "it published none" : "it published \(found.1.joined(separator: ", "))"
            throw StepFailure("artifact/fetch: run \(run) of '\(pipeline)' has no artifact '\(path)'; \(others)")
        }
        var outputs: [String: JSONValue] = ["digest": .string(digest.text), "run": .string(run)]
        if let size = try await context.artifacts.size(digest), size <= Self.largestOutputFile {
            let bytes = try await context.artifacts.read(digest)
            outputs["json"] = try? Wire.decode(JSONValue.self, from: bytes)
        }
        return StepEnding(StepResult(.succeeded, outputs: .object(outputs)))
    }

    private func source(_ work: StepWork, pipeline: String) async throws -> String {
        let wanted = work.with["run"]?.scalarText.flatMap { $0.isEmpty ? nil : $0 } ?? "latest"
        let branch = work.with["branch"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        let project = work.run.project
        let run = try await context.store.read { db in
            wanted == "latest"
                ? try ArtifactQueries.latestSuccess(project: project, pipeline: pipeline, branch: branch, in: db)
                : try ArtifactQueries.run(wanted, project: project, pipeline: pipeline, in: db)
        }
        if let run { return run }
        throw StepFailure(
            wanted == "latest"
                ? "artifact/fetch: pipeline '\(pipeline)' has no successful run\(branch.map { " on branch '\($0)'" } ?? "") yet"
                : "artifact/fetch: pipeline '\(pipeline)' of project '\(project)' has no run '\(wanted)'")
    }
}
