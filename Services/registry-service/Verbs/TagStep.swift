import Messages
import ServiceKit
import Store

/// `registry/tag`: sets and removes tags of a version; what is so already is not told again.
enum TagStep {
    static let verb = StepVerb.transactional(["registry/tag"]) { work, tx in try perform(work, in: tx) }

    static func perform(_ work: StepWork, in tx: Transaction) throws -> StepResult {
        do {
            let input = StepInput(work: work)
            let model = try input.model()
            var wish = try TagChange(work.with["tags"])
            try wish.remove(work.with["remove"])
            let declaration = try KnowledgeQueries.declaration(of: model, tx.db)
            try checkOwner(of: model, declaredBy: declaration?.project, asking: work.run.project)
            let version = try VersionLookup.one(try input.selector("version"), of: model, in: tx.db)
            let mirror = declaration?.model.stages.mirror
            let change = try wish.decide(tags: version.ownTags, mirror: mirror)
            if !change.set.isEmpty || !change.removed.isEmpty {
                try tx.change(tagsOf: version.number, model: model, set: change.set, removed: change.removed)
                try tx.publish(
                    ModelTagged(model: model, version: version.number, set: change.set, removed: change.removed),
                    subject: "model/\(model)/\(version.number)", key: model,
                    because: work.causation.acting(as: work.actor.name))
            }
            let tags = try VersionQueries.version(version.number, of: model, tx.db)?.tags(mirroring: mirror) ?? [:]
            return StepResult(
                .succeeded,
                outputs: [
                    "model": .string(model), "version": .int(version.number),
                    "tags": .object(tags.mapValues(JSONValue.string)),
                ])
        } catch let refusal as Refusal {
            return StepResult(.failed, message: refusal.reason)
        }
    }
}
