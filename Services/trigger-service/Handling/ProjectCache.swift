import Messages
import ProjectFile
import Store
import Synchronization

/// Project files that were read lately: a run asks for its own at every step.
final class ProjectCache: Sendable {
    private static let most = 64

    private struct Key: Hashable {
        let digest: String
        let repository: String
    }

    private let read = Mutex<[Key: Result<Project, ProjectErrors>]>([:])

    /// - Throws: `Refusal` when the texts are not there any more.
    func project(
        _ digest: String, repository: String, in transaction: Transaction
    ) throws -> Result<Project, ProjectErrors> {
        let key = Key(digest: digest, repository: repository)
        if let known = read.withLock({ $0[key] }) { return known }
        guard let files = try transaction.files(digest) else {
            throw Refusal("the project file \(digest) is not in the database any more")
        }
        let documents = files.map { ProjectDocument(path: $0.key, text: $0.value) }
        let result = ProjectReader.read(documents, repositoryName: repository)
        read.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[key] = result
        }
        return result
    }
}
