import Foundation
import GRDB
import Messages
import ServiceKit
import Store

/// `registry/resolve`: turns a selector into a number, once (X5), with all that later steps ask about it.
enum ResolveStep {
    static let verb = StepVerb.transactional(["registry/resolve"]) { work, tx in try perform(work, in: tx.db) }

    static func perform(_ work: StepWork, in db: Database) throws -> StepResult {
        do {
            let input = StepInput(work: work)
            let model = try input.model()
            let selector = try input.selector("select")
            let onNone = try input.word("on_none", default: OnNone.fail)
            let exactlyOne = try input.word("expect", default: Expectation.newest) == .exactlyOne
            let machine = try KnowledgeQueries.declaration(of: model, db)?.model.stages
            let all = work.with["all"]?.bool == true
            let matches = try VersionQueries.matches(
                selector, of: model, mirror: machine?.mirror, limit: all ? 1_000 : 2, db)
            if exactlyOne && matches.count > 1 {
                throw Refusal("more than one version of '\(model)' matches \(selector), and exactly one is expected")
            }
            guard let number = matches.first, let version = try VersionQueries.version(number, of: model, db) else {
                let message = try input.text("message") ?? VersionLookup.nothing(selector, of: model, in: db)
                let outputs: JSONValue = ["model": .string(model), "version": nil, "versions": []]
                return StepResult(onNone.outcome, outputs: outputs, message: message)
            }
            return StepResult(
                .succeeded, outputs: try outputs(version, machine: machine, all: all ? matches : [number]),
                message: "Model Name: \(model), Model Version: \(number)")
        } catch let refusal as Refusal {
            return StepResult(.failed, message: refusal.reason)
        }
    }

    private static func outputs(_ version: Version, machine: StageMachine?, all: [Int]) throws -> JSONValue {
        // `json` is the text of the file, ready to be published as it is.
        let file = String(decoding: try Wire.encode(version.modelFile), as: UTF8.self)
        return [
            "model": .string(version.model), "version": .int(version.number),
            "versions": .array(all.map { .int($0) }),
            "stage_now": .string(machine?.name(of: version.stage) ?? "none"),
            "tags": .object(version.tags(mirroring: machine?.mirror).mapValues(JSONValue.string)),
            "metrics": .object(version.facts.metrics), "digest": .string(version.facts.artifact.digest.text),
            "json": .string(file),
        ]
    }
}

enum Expectation: String, CaseIterable, Sendable {
    case newest
    case exactlyOne = "exactly-one"
}
