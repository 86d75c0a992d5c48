import Foundation
import Messages
import ServiceKit
import Store

/// The Python environment in which a run's tests and scoring commands work.
enum PythonEnvironment {
    /// Its folder: of the one that is named, else of the run's last; `nil` where there is none.
    static func folder(
        of work: StepWork, named: Digest?, store: StateStore, paths: DataPaths
    ) async throws -> String? {
        let run = work.run.id
        let known = try await store.read { db in try ProjectionQueries.environment(of: run, db) }
        guard let digest = named ?? known else { return nil }
        let path = paths.environment(digest)
        guard FileManager.default.fileExists(atPath: path + "/bin") else {
            throw Refusal("environment \(digest) is not on this machine: let env/ensure build it earlier in the run")
        }
        return path
    }
}
