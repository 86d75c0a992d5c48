import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

extension LocalBackend {
    /// `dataset/ensure`: a data set that is missing gets its first version; one that is there is left alone (S3-2).
    func ensureDatasets(_ work: StepWork) async throws -> StepEnding {
        let folders = try await copies.prepare(work)
        let files = RepositoryFiles(root: folders.source)
        var problems: [String] = []
        var wanted: [(definition: DatasetDefinition, archive: ModelArtifact?)] = []
        for definition in try definitions(work, files, &problems) {
            do {
                let archive = try await isMissing(definition, of: work) ? pack(definition.source, files) : nil
                wanted.append((definition, archive))
            } catch let failure as StepFailure {
                problems.append(failure.description)
            }
        }
        guard problems.isEmpty else { throw StepFailure(problems.joined(separator: "\n")) }
        // Made before anybody waits for the database.
        let prepared = wanted
        let datasets = try await context.store.write { transaction in
            try prepared.map { wish in
                let known = try DatasetQueries.find(
                    wish.definition.name, version: nil, project: work.run.project, in: transaction.db)
                if let known { return (known, false) }
                guard let archive = wish.archive else {
                    throw StepFailure("data set '\(wish.definition.name)' vanished; start the step again")
                }
                return (
                    try transaction.register(
                        wish.definition.name, description: wish.definition.description, archive: archive,
                        path: wish.definition.source, of: work), true
                )
            }
        }
        return StepEnding(Self.result(datasets))
    }

    private static func result(_ datasets: [(DatasetReference, Bool)]) -> StepResult {
        let list = datasets.map { dataset, isNew in dataset.output(isNew: isNew) }
        var outputs: [String: JSONValue] = ["datasets": .array(list)]
        if list.count == 1, let only = list.first?.object { outputs.merge(only) { $1 } }
        let words = datasets.map {
            "data set \($0.0.text) " + ($0.1 ? "is registered" : "is there already, left alone")
        }
        return StepResult(.succeeded, outputs: .object(outputs), message: words.joined(separator: "\n").shortened())
    }

    private func definitions(
        _ work: StepWork, _ files: RepositoryFiles, _ problems: inout [String]
    ) throws -> [DatasetDefinition] {
        let sample = work.with["initialize_from"]?.string ?? "sample"
        guard let patterns = work.with["files"], patterns != .null else {
            guard let name = work.with["name"]?.string, !name.isEmpty, let source = PathName.inside(sample) else {
                throw StepFailure("dataset/ensure: 'files' is needed, or 'name' with 'initialize_from'")
            }
            return [try definition { try DatasetDefinition(name: name, source: source) }]
        }
        var found: [DatasetDefinition] = []
        for file in try files.matching(patterns.array?.compactMap(\.string) ?? [patterns.string ?? ""]) {
            do {
                let text = try files.text(file)
                found.append(try definition { try DatasetDefinition(file: file, text: text, sample: sample) })
            } catch let failure as StepFailure {
                problems.append(failure.description)
            }
        }
        return found
    }

    private func definition(_ read: () throws -> DatasetDefinition) throws -> DatasetDefinition {
        do { return try read() } catch { throw StepFailure("\(error)") }
    }

    private func isMissing(_ definition: DatasetDefinition, of work: StepWork) async throws -> Bool {
        let (name, project) = (definition.name, work.run.project)
        return try await context.store.read { db in
            try DatasetQueries.find(name, version: nil, project: project, in: db) == nil
        }
    }

    /// A folder, or one file as a folder of its own.
    private func pack(_ path: String, _ files: RepositoryFiles) async throws -> ModelArtifact {
        guard let place = files.place(path) else { throw StepFailure("Folder \(path) not found.") }
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
        if isFolder.boolValue { return try await context.artifacts.pack(directory: place) }
        guard RepositoryFiles.size(place) != nil else {
            throw StepFailure("\(path) is neither a folder nor a regular file.")
        }
        let folder = FileManager.default.temporaryDirectory.path + "/martlet-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: place, toPath: folder + "/" + (place as NSString).lastPathComponent)
        return try await context.artifacts.pack(directory: folder)
    }

    /// The data of a training run, once and then a number (S2-7); `path` makes a new version.
    func dataset(_ work: StepWork, in folders: StepFolders) async throws -> DatasetReference? {
        let request: DatasetRequest?
        do { request = try DatasetRequest(work.with["dataset"]) } catch { throw StepFailure("\(work.verb): \(error)") }
        guard let request else { return nil }
        let project = work.run.project
        if let given = try await context.store.read({ try DatasetQueries.given(to: work.item, in: $0) }) {
            return given
        }
        if let path = request.path {
            let archive = try await pack(path, RepositoryFiles(root: folders.source))
            return try await context.store.write { transaction in
                let dataset = try transaction.register(
                    request.name, description: nil, archive: archive, path: path, of: work)
                return try transaction.give(dataset, to: work.item)
            }
        }
        let (found, names) = try await context.store.write { transaction in
            let found = try DatasetQueries.find(
                request.name, version: request.version, project: project, in: transaction.db)
            return (
                try found.map { try transaction.give($0, to: work.item) },
                try DatasetQueries.names(project: project, in: transaction.db)
            )
        }
        guard let found else {
            let wanted = request.version.map { "\(request.name):\($0)" } ?? request.name
            let known = names.isEmpty ? "none" : names.joined(separator: ", ")
            throw StepFailure(
                "\(work.verb): there is no data set '\(wanted)' (registered: \(known)); let dataset/ensure register it")
        }
        return found
    }

    /// Where the process finds it: the folder, or the one file in it.
    func unpack(_ dataset: DatasetReference, in folders: StepFolders) async throws -> String {
        let place = "\(folders.data)/\(dataset.digest.hex.prefix(16))"
        if !FileManager.default.fileExists(atPath: place) {
            try await context.artifacts.extract(dataset.digest, to: place)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: place)
        return names.count == 1 ? place + "/" + names[0] : place
    }
}

extension DatasetReference {
    fileprivate func output(isNew: Bool) -> JSONValue {
        [
            "name": .string(name), "version": version.map { .int($0) } ?? .null, "digest": .string(digest.text),
            "dataset_id": .string(text), "registered": .bool(isNew),
        ]
    }
}
