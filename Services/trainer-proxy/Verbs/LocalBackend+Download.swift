import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

extension LocalBackend {
    /// `registry/download`: a version's files in the working copy, for what is built of them.
    func download(_ work: StepWork) async throws -> StepEnding {
        guard let model = work.with["model"]?.scalarText.flatMap({ $0.isEmpty ? nil : $0 }) ?? work.run.model else {
            throw StepFailure("registry/download: 'model' is needed, and the project declares none")
        }
        guard let selector = (work.with["version"] ?? work.with["select"]).flatMap({ VersionSelector($0) }) else {
            throw StepFailure("registry/download: 'select' is needed: \(VersionSelector.forms)")
        }
        let found = try await context.store.read { db in try VersionQueries.find(selector, of: model, in: db) }
        guard let found else { throw StepFailure("registry/download: no version of '\(model)' matches \(selector)") }
        let folders = try await copies.prepare(work)
        let staging = folders.record + "/download"
        try? FileManager.default.removeItem(atPath: staging)
        defer { try? FileManager.default.removeItem(atPath: staging) }
        try await context.artifacts.extract(found.digest, to: staging)
        let names = try take(
            work, from: RepositoryFiles(root: staging), into: RepositoryFiles(root: folders.source))
        return StepEnding(
            StepResult(
                .succeeded,
                outputs: [
                    "model": .string(model), "version": .int(found.version), "digest": .string(found.digest.text),
                    "files": .array(names.prefix(100).map { .string($0) }),
                ],
                message: "Model Name: \(model), Model Version: \(found.version)"))
    }

    /// Copies what is wanted, and says where it lies in the working copy.
    private func take(
        _ work: StepWork, from model: RepositoryFiles, into copy: RepositoryFiles
    ) throws -> [String] {
        let all = try model.all()
        let path = work.with["path"]?.string.flatMap { $0.isEmpty || $0 == "model" ? nil : $0 }
        let below = path.map { path in all.filter { $0 == path || $0.hasPrefix(path + "/") } } ?? all
        let wanted = work.with["files"]?.array?.compactMap(\.string)
        func short(_ name: String) -> String {
            guard let path else { return name }
            return name == path ? (name as NSString).lastPathComponent : String(name.dropFirst(path.count + 1))
        }
        let chosen = below.filter { name in wanted?.contains(short(name)) ?? true }
        let missing = (wanted ?? []).filter { name in !chosen.contains { short($0) == name } }
        guard !chosen.isEmpty, missing.isEmpty else {
            let what = missing.first ?? path ?? "file"
            throw StepFailure(
                "registry/download: the model holds no '\(what)'; it holds: \(all.prefix(10).joined(separator: ", "))")
        }
        let to = work.with["to"]?.string ?? "model"
        return try chosen.map { name in
            guard let source = model.place(name), let target = PathName.inside("\(to)/\(short(name))") else {
                throw StepFailure("registry/download: '\(to)' leads out of the working copy")
            }
            try copy.put(file: source, at: target)
            return target
        }
    }
}
