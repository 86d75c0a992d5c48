import Artifacts
import Foundation
import GRDB
import Messages

/// The files that a new version is made of.
enum VersionFiles: Sendable {
    /// Of another version.
    case registered(ModelArtifact)
    /// Paths inside the model, and the bytes behind them.
    case stored([StoredFile])

    static let most = 10_000

    /// The files, and the training run whose code made them; `nil` where none did.
    ///
    /// - Throws: `MLflowError` when there are none: a version without files cannot be served (C-7).
    static func find(
        _ place: ModelSource, source: String, _ db: Database
    ) throws -> (files: VersionFiles, maker: String?) {
        switch place {
        case .version(let name, let reference):
            let key = try ModelQueries.key(of: name, db)
            let number = try number(reference, of: key, name: name, db)
            guard let facts = try VersionQueries.version(number, of: key, db)?.facts else {
                throw MLflowError.noVersion(name, reference)
            }
            return (.registered(facts.artifact), facts.trainingRun)
        case .run(let run, let path):
            let row = try RunQueries.row(run, db)
            let folder = ArtifactPath.run(row["experiment"], run).appending(path)
            if let found = try made(at: folder, db) { return found }
            // Since 3.0 a run's model is a thing of its own, found by its name.
            if let model = try LoggedModelQueries.latest(of: run, named: path, db), let found = try made(at: model, db)
            {
                return found
            }
            throw nothing(source)
        case .loggedModel(let id):
            let row = try LoggedModelQueries.row(id, db)
            guard let found = try made(at: .loggedModel(row["experiment"], id), db) else { throw nothing(source) }
            return found
        case .artifacts(let path):
            guard let found = try made(at: path, db) else { throw nothing(source) }
            return found
        }
    }

    private static func made(at path: ArtifactPath, _ db: Database) throws -> (files: VersionFiles, maker: String?)? {
        guard let files = try files(at: path, db) else { return nil }
        return (VersionFiles.stored(files), try TrainingQueries.maker(of: path, db))
    }

    /// `nil`: nothing stands there.
    static func at(_ path: ArtifactPath, _ db: Database) throws -> VersionFiles? {
        try files(at: path, db).map(VersionFiles.stored)
    }

    private static func nothing(_ source: String) -> MLflowError {
        .invalid("Model version source '\(source)' holds no files: log the model's artifacts before registering it.")
    }

    private static func number(_ reference: String, of key: String, name: String, _ db: Database) throws -> Int {
        if let number = Int(reference) { return number }
        if reference.hasPrefix("@") {
            let alias = String(reference.dropFirst())
            guard let number = try ModelQueries.alias(alias, of: key, db) else {
                throw MLflowError.invalid("Registered model alias \(alias) not found.")
            }
            return number
        }
        guard reference.lowercased() != "latest" else {
            guard let number = try VersionSearch.numbers(of: key, db).last else {
                throw MLflowError.noVersion(name, reference)
            }
            return number
        }
        let machine = try KnowledgeQueries.machine(of: key, db)
        let stage = try StageWord.resolve(reference, in: machine)
        let holders = try StageQueries.holders(of: key, db)
        guard let number = holders.filter({ $0.value == stage }).keys.max() else {
            throw MLflowError.noVersion(name, reference)
        }
        return number
    }

    /// Of a folder, or the one file that stands there; `nil`: nothing does.
    private static func files(at path: ArtifactPath, _ db: Database) throws -> [StoredFile]? {
        if var file = try ArtifactQueries.file(path, db) {
            file.path = String(path.text.split(separator: "/").last ?? "")
            return [file]
        }
        let files = try ArtifactQueries.files(below: path, limit: most + 1, db)
        guard files.count <= most else {
            throw MLflowError.invalid("'\(path.text)' holds more than \(most) files")
        }
        guard !files.isEmpty else { return nil }
        return files.map { file in
            StoredFile(
                path: String(file.path.dropFirst(path.isRoot ? 0 : path.text.count + 1)), digest: file.digest,
                size: file.size)
        }
    }

    /// As one artifact, which the deployer can unpack.
    func artifact(in store: ArtifactStore) async throws -> ModelArtifact {
        switch self {
        case .registered(let artifact): artifact
        case .stored(let files):
            try await store.put(
                list: FileList(files: files.map { .init(path: $0.path, digest: $0.digest, size: $0.size) }))
        }
    }

    var listed: [StoredFile] { if case .stored(let files) = self { files } else { [] } }
}
