import GRDB
import Messages
import Store

extension Caller {
    /// A training run's code speaks for its own runs only, and nobody else for them.
    func checkRun(_ uuid: String, _ db: Database) throws {
        try checkMaking(by: try db.value("SELECT training_run FROM run WHERE uuid = ?", [uuid]), "run \(uuid)")
    }

    /// A training run's code writes below its own runs and logged models, and nobody else does; nobody writes what a
    /// version shows.
    func checkPath(_ path: ArtifactPath, _ db: Database) throws {
        let parts = path.text.split(separator: "/").map(String.init)
        guard parts.first != "versions" else {
            throw MLflowError.denied("'\(path.text)' belongs to a registered version, which does not change")
        }
        guard training == nil || parts.count > 2 else { throw MLflowError.denied("'\(path.text)' belongs to no run") }
        let owner = try TrainingQueries.maker(of: path, db) ?? TrainingQueries.anyMaker(below: path, db)
        try checkMaking(by: owner, "'\(path.text)'")
    }
}
