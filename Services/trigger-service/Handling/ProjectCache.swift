import Messages
import ProjectFile
import Store
import Synchronization

/// Project files that were read and plans that were made lately: a run asks for its own at every step.
final class ProjectCache: Sendable {
    static let most = 64

    private struct Key: Hashable {
        let digest: String
        let repository: String
        let taken: Bool
    }

    private let read = Mutex<[Key: Result<Project, ProjectErrors>]>([:])

    private struct Plans {
        var known: [String: (plan: RunPlan, used: Int)] = [:]
        var uses = 0
    }

    private let plans = Mutex(Plans())
    private let listened = Mutex<[String: [Glob]]>([:])

    /// The types of events that the pipelines of a project file listen to, by its digest: asked with each event.
    func patterns(_ digest: String) -> [Glob]? { listened.withLock { $0[digest] } }

    func keep(_ patterns: [Glob], of digest: String) {
        listened.withLock { known in
            // Only the newest file of each project is asked for.
            if known.count >= 10_000 { known.removeAll() }
            known[digest] = patterns
        }
    }

    /// A run's plan follows from what never changes about it, so it is made once and not at each of its steps.
    func plan(_ run: String) -> RunPlan? {
        plans.withLock { plans in
            plans.uses += 1
            plans.known[run]?.used = plans.uses
            return plans.known[run]?.plan
        }
    }

    /// The one that was not asked for longest makes room.
    func keep(_ plan: RunPlan, of run: String) {
        plans.withLock { plans in
            if plans.known.count >= Self.most, let oldest = plans.known.min(by: { $0.value.used < $1.value.used }) {
                plans.known[oldest.key] = nil
            }
            plans.uses += 1
            plans.known[run] = (plan, plans.uses)
        }
    }

    /// - Parameter taken: something goes by the file already, so that younger rules do not stop it.
    /// - Throws: `Refusal` when the texts are not there any more.
    func project(
        _ digest: String, repository: String, taken: Bool = false, in transaction: Transaction
    ) throws -> Result<Project, ProjectErrors> {
        let key = Key(digest: digest, repository: repository, taken: taken)
        if let known = read.withLock({ $0[key] }) { return known }
        guard let files = try transaction.files(digest) else {
            throw Refusal("the project file \(digest) is not in the database any more")
        }
        let documents = files.map { ProjectDocument(path: $0.key, text: $0.value) }
        let result = ProjectReader.read(documents, repositoryName: repository, taken: taken)
        read.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[key] = result
        }
        return result
    }
}
