import GRDB
import Messages
import Store

extension Caller {
    /// A training run's code speaks for its own runs only.
    func checkRun(_ uuid: String, _ db: Database) throws {
        try checkWriting(to: try db.value("SELECT training_run FROM run WHERE uuid = ?", [uuid]), "run \(uuid)")
    }

    /// A training run's code writes below its own runs and logged models; nobody writes what a version shows.
    func checkPath(_ path: ArtifactPath, _ db: Database) throws {
        let parts = path.text.split(separator: "/").map(String.init)
        guard parts.first != "versions" else {
            throw MLflowError.denied("'\(path.text)' belongs to a registered version, which does not change")
        }
        guard training != nil else { return }
        let isModel = parts.count > 2 && parts[1] == "models"
        guard parts.count > 2 else { throw MLflowError.denied("'\(path.text)' belongs to no run") }
        let owner: String? =
            isModel
            ? try db.value("SELECT training_run FROM logged_model WHERE uuid = ?", [parts[2]])
            : try db.value("SELECT training_run FROM run WHERE uuid = ?", [parts[1]])
        try checkWriting(to: owner, "'\(path.text)'")
    }
}
