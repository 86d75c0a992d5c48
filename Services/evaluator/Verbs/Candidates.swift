import GRDB
import Messages

/// One of the two that are compared, looked up once; from then on it is a number (X5, E9).
struct Candidate: Hashable, Sendable {
    var version: Int?
    var trainingRun: String?
    var artifact: Digest?
    var predictions: Digest?
    var source: MetricSource

    /// For messages.
    var name: String { version.map { "version \($0)" } ?? "training run '\(trainingRun ?? "?")'" }
}

enum Candidates {
    static func challenger(_ input: ComparisonInput, in db: Database) throws -> Candidate {
        switch input.challenger {
        case .run(let id):
            guard let run = try ProjectionQueries.run(id, db) else {
                throw Refusal("there is no training run '\(id)': give evaluate/compare the run_id of a train/run step")
            }
            guard run.outcome == .succeeded else {
                throw Refusal("training run '\(id)' ended \(run.outcome.rawValue): there is nothing to compare")
            }
            return Candidate(
                trainingRun: id, artifact: run.artifact, predictions: run.predictions, source: run.source)
        case .version(let selector):
            return try candidate(try version(selector, of: input.model, in: db), input, in: db)
        }
    }

    /// `nil`: there is none.
    static func champion(
        _ input: ComparisonInput, against challenger: Candidate, in db: Database
    ) throws -> Candidate? {
        guard let selector = input.champion else { return nil }
        if case .number(let number) = selector {
            // A number is meant as it is: not to find it, or to find the challenger, is a mistake and no first model.
            let champion = try version(selector, of: input.model, in: db)
            let isItself = champion.trainingRun.map { $0 == challenger.trainingRun } ?? false
            if number == challenger.version || isItself {
                throw Refusal("version \(number) of '\(input.model)' is the challenger itself; name another champion")
            }
            return try candidate(champion, input, in: db)
        }
        return try ProjectionQueries.newest(
            selector, of: input.model, excluding: challenger.version, run: challenger.trainingRun, db
        ).map { try candidate($0, input, in: db) }
    }

    static func version(_ selector: VersionSelector, of model: String, in db: Database) throws -> KnownVersion {
        guard let version = try ProjectionQueries.newest(selector, of: model, db) else {
            throw Refusal("no version of '\(model)' matches \(selector)")
        }
        return version
    }

    /// A version with its numbers from where the comparison wants them (E7).
    private static func candidate(
        _ version: KnownVersion, _ input: ComparisonInput, in db: Database
    ) throws -> Candidate {
        var candidate = Candidate(
            version: version.number, trainingRun: version.trainingRun, artifact: version.digest,
            predictions: version.predictions, source: version.source)
        switch input.source {
        case .registered: break
        case .tag: candidate.source = MetricSource(metrics: [:], tags: version.source.tags)
        case .run:
            guard let id = version.trainingRun, let run = try ProjectionQueries.run(id, db) else {
                throw Refusal(
                    "version \(version.number) of '\(input.model)' has no training run whose metrics could be read; "
                        + "write metric_source: registered")
            }
            candidate.source = run.source
        }
        return candidate
    }
}
