import GRDB
import Messages

/// Finds the two that are compared; each is looked up once and is then a number (X5, E9).
enum Candidates {
    struct Challenger: Sendable {
        var version: Int?
        var trainingRun: String?
        var source: MetricSource
    }

    static func challenger(_ input: ComparisonInput, in db: Database) throws -> Challenger {
        switch input.challenger {
        case .run(let id):
            guard let run = try ProjectionQueries.run(id, db) else {
                throw Refusal("there is no training run '\(id)': give evaluate/compare the run_id of a train/run step")
            }
            guard run.outcome == .succeeded else {
                throw Refusal("training run '\(id)' ended \(run.outcome.rawValue): there is nothing to compare")
            }
            return Challenger(version: nil, trainingRun: id, source: run.source)
        case .version(let selector):
            let version = try version(selector, of: input.model, in: db)
            return Challenger(version: version.number, trainingRun: version.trainingRun, source: version.source)
        }
    }

    /// `nil`: there is none.
    static func champion(
        _ input: ComparisonInput, against challenger: Challenger, in db: Database
    ) throws -> KnownVersion? {
        guard let selector = input.champion else { return nil }
        if case .number(let number) = selector {
            // A number is meant as it is: not to find it, or to find the challenger, is a mistake and no first model.
            let champion = try version(selector, of: input.model, in: db)
            let isItself = champion.trainingRun.map { $0 == challenger.trainingRun } ?? false
            if number == challenger.version || isItself {
                throw Refusal("version \(number) of '\(input.model)' is the challenger itself; name another champion")
            }
            return champion
        }
        return try ProjectionQueries.newest(
            selector, of: input.model, excluding: challenger.version, run: challenger.trainingRun, db)
    }

    static func version(_ selector: VersionSelector, of model: String, in db: Database) throws -> KnownVersion {
        guard let version = try ProjectionQueries.newest(selector, of: model, db) else {
            throw Refusal("no version of '\(model)' matches \(selector)")
        }
        return version
    }
}
