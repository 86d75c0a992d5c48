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
            let because = work.causation.acting(as: work.actor.name)
            let change = try wish.decide(tags: version.ownTags, mirror: mirror)
            var replaced: Set<Int> = []
            if try input.flag("exclusive") {
                let word = try input.text("replace_existing_with")
                for (key, value) in wish.wanted.compactMapValues({ $0 }) {
                    // All of them, and in the transaction of the change itself (X6, X7).
                    for other in try VersionQueries.tagged(key, value, of: model, tx.db) where other != version.number {
                        try tx.tag(
                            other, of: model, set: word.map { [key: $0] } ?? [:], removed: word == nil ? [key] : [],
                            because: because)
                        replaced.insert(other)
                    }
                }
            }
            try tx.tag(version.number, of: model, set: change.set, removed: change.removed, because: because)
            let tags = try VersionQueries.version(version.number, of: model, tx.db)?.tags(mirroring: mirror) ?? [:]
            return StepResult(
                .succeeded,
                outputs: [
                    "model": .string(model), "version": .int(version.number),
                    "tags": .object(tags.mapValues(JSONValue.string)),
                    "replaced": .array(replaced.sorted().map { .int($0) }),
                ])
        } catch let refusal as Refusal {
            return StepResult(.failed, message: refusal.reason)
        }
    }
}

extension Transaction {
    /// Changes tags and says so; what is so already is not told again.
    fileprivate func tag(
        _ version: Int, of model: String, set: [String: String], removed: [String], because: Causation
    ) throws {
        guard !set.isEmpty || !removed.isEmpty else { return }
        try change(tagsOf: version, model: model, set: set, removed: removed)
        try announce(
            ModelTagged(model: model, version: version, set: set, removed: removed), about: model, version: version,
            because: because)
    }
}
