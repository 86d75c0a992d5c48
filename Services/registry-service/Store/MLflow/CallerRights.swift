import GRDB
import Messages
import Store

extension Caller {
    /// A training run's code speaks for its own runs only, and nobody else for them.
    func checkRun(_ uuid: String, _ db: Database) throws {
        try checkMaking(by: try db.value("SELECT training_run FROM run WHERE uuid = ?", [uuid]), "run \(uuid)")
    }

    /// A training run's code tags and describes the versions that it made itself.
    func checkVersion(_ number: Int, of model: String, _ db: Database) throws {
        let maker: String? = try db.value(
            "SELECT training_run FROM version WHERE model = ? AND version = ?", [model, number])
        try checkWriting(to: maker, "version \(number) of '\(model)'")
    }

    /// What a fork's code measures of a model that others made is its own run's, and not shown at that model.
    func told(_ measurement: Measurement, _ db: Database) throws -> Measurement {
        guard let training, training.isUntrusted, let model = measurement.loggedModel else { return measurement }
        let maker: String? = try db.value("SELECT training_run FROM logged_model WHERE uuid = ?", [model])
        guard maker != training.trainingRun else { return measurement }
        var own = measurement
        own.loggedModel = nil
        return own
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
