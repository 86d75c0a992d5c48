import GRDB
import Messages
import ServiceKit
import Store

/// `evaluate/pin`: turns both names into numbers once, so that all gates of a run judge the same two (X5, E9).
enum PinStep {
    static let verb = StepVerb.transactional(["evaluate/pin"]) { work, tx in try perform(work, in: tx.db) }

    static func perform(_ work: StepWork, in db: Database) throws -> StepResult {
        do {
            let model = try work.modelName()
            guard let wanted = VersionSelector(work.with["challenger"] ?? "latest") else {
                throw Refusal("with.challenger: write \(VersionSelector.forms)")
            }
            let written =
                try work.with["champion"].flatMap { $0 == .null ? nil : $0 }
                ?? ProjectionQueries.model(model, db)?.champion.map { JSONValue.string($0) }
            guard let selector = written.flatMap({ VersionSelector($0) }) else {
                throw Refusal("with.champion: write \(VersionSelector.forms)")
            }
            let noChampion = try work.with.word("no_champion", default: ComparisonRule.Ruling.win)
            let challenger = try Candidates.version(wanted, of: model, in: db)
            let champion = try ProjectionQueries.newest(
                selector, of: model, excluding: challenger.number, run: challenger.trainingRun, db)
            return StepResult(
                .succeeded,
                outputs: [
                    "model": .string(model), "challenger": .int(challenger.number),
                    "champion": champion.map { .int($0.number) } ?? .null, "no_champion": .string(noChampion.rawValue),
                    "champion_selector": .string(selector.description),
                ],
                message: champion.map { "Challenger is version \(challenger.number), champion version \($0.number)." }
                    ?? "Challenger is version \(challenger.number); no champion model indicated.")
        } catch let refusal as Refusal {
            return StepResult(.failed, message: refusal.reason)
        }
    }
}
