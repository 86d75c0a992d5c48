import GRDB
import Hummingbird
import Messages
import Store

extension MLflowDoor {
    func addModels(_ routes: MLflowRoutes) {
        routes.post("/registered-models/create", .writing) { call in
            let name = try call.required("name")
            try Names.checkModel(name)
            let (description, tags) = (try Self.description(call), try Self.modelTags(call))
            let caller = call.caller
            return try await create(call, "registered model") { tx in
                try caller.checkOwner(of: name, tx.db)
                try tx.createModel(name, description: description, tags: tags)
                try tx.say(
                    ModelCreated(model: name, description: description, tags: tags.dictionary), about: name, caller)
                return try Self.told(model: name, tx.db)
            }
        }
        routes.get("/registered-models/get", .reading) { call in
            let name = try call.required("name")
            return try await read { db in
                ["registered_model": try ModelQueries.json(ModelQueries.row(named: name, db), db)]
            }
        }
        routes.get("/registered-models/search", .reading) { call in
            let filter = try FilterParser.filter(call.text("filter"), .models)
            let order = try FilterParser.ordering(call.texts("order_by"), .models)
            let (page, limit) = (try call.page(), try call.limit(default: 100, most: Limits.mostModels))
            return try await read { db in
                let found = try ModelQueries.search(filter, order, page: page, limit: limit, db)
                return Self.page("registered_models", found.items, found.next)
            }
        }
        routes.post("/registered-models/get-latest-versions", .reading, latestVersions)
        routes.get("/registered-models/get-latest-versions", .reading, latestVersions)
        routes.patch("/registered-models/update", .writing) { call in
            let description = try Self.description(call) ?? ""
            return try await change(model: call) { tx, key, caller in
                try tx.describe(model: key, description)
                try tx.say(ModelUpdated(model: key, description: description), about: key, caller)
                return try Self.told(model: key, tx.db)
            }
        }
        routes.post("/registered-models/rename", .deciding) { call in
            let name = try call.required("new_name")
            try Names.checkModel(name)
            return try await change(model: call) { tx, key, caller in
                let before = try ModelQueries.name(of: key, tx.db)
                try tx.rename(model: key, to: name)
                try tx.say(ModelRenamed(model: key, from: before, to: name), about: key, caller)
                return try Self.told(model: key, tx.db)
            }
        }
        routes.post("/registered-models/set-tag", .writing) { call in
            let tag = try Self.modelTag(call.pair())
            return try await change(model: call) { tx, key, caller in
                try tx.setTag(tag, ofModel: key)
                try tx.touch(model: key)
                try tx.say(ModelUpdated(model: key, set: [tag.key: tag.value]), about: key, caller)
                return Self.done
            }
        }
        routes.delete("/registered-models/delete-tag", .writing) { call in
            let tag = try call.required("key")
            return try await change(model: call) { tx, key, caller in
                try tx.removeTag(tag, ofModel: key)
                try tx.touch(model: key)
                try tx.say(ModelUpdated(model: key, removed: [tag]), about: key, caller)
                return Self.done
            }
        }
        routes.delete("/registered-models/delete", .deciding) { call in
            try await change(model: call) { tx, key, caller in
                guard try !ModelQueries.isDeclared(key, tx.db) else {
                    throw MLflowError.denied(
                        "Model '\(key)' is declared by a project: remove it from martlet.yml first")
                }
                for number in try VersionSearch.numbers(of: key, tx.db) {
                    try tx.delete(version: number, of: key, caller)
                }
                try tx.delete(model: key)
                try tx.say(ModelDeleted(model: key), about: key, caller)
                return Self.done
            }
        }
        addAliases(routes)
    }

    private func addAliases(_ routes: MLflowRoutes) {
        routes.post("/registered-models/alias", .deciding) { call in
            let (alias, version) = (try call.required("alias"), try call.version())
            try Names.checkAlias(alias)
            return try await change(model: call) { tx, key, caller in
                let name = try ModelQueries.name(of: key, tx.db)
                let number: Int = try VersionSearch.row(named: name, version: version, tx.db)["version"]
                let before = try ModelQueries.alias(alias, of: key, tx.db)
                guard before != number else { return Self.done }
                try tx.setAlias(alias, to: number, of: key)
                try tx.touch(model: key)
                try tx.say(ModelAliasChanged(model: key, alias: alias, from: before, to: number), about: key, caller)
                return Self.done
            }
        }
        routes.delete("/registered-models/alias", .deciding) { call in
            let alias = try call.required("alias")
            return try await change(model: call) { tx, key, caller in
                guard let before = try ModelQueries.alias(alias, of: key, tx.db) else { return Self.done }
                try tx.removeAlias(alias, of: key)
                try tx.touch(model: key)
                try tx.say(ModelAliasChanged(model: key, alias: alias, from: before, to: nil), about: key, caller)
                return Self.done
            }
        }
        routes.get("/registered-models/alias", .reading) { call in
            let (name, alias) = (try call.required("name"), try call.required("alias"))
            return try await read { db in
                let key = try ModelQueries.key(of: name, db)
                guard let number = try ModelQueries.alias(alias, of: key, db) else {
                    throw MLflowError.invalid("Registered model alias \(alias) not found.")
                }
                return ["model_version": try VersionSearch.json(number, of: key, aliases: true, db)]
            }
        }
    }

    @Sendable private func latestVersions(_ call: MLflowCall) async throws -> Response {
        let name = try call.required("name")
        let stages = try call.texts("stages")
        return try await read { db in
            let key = try ModelQueries.key(of: name, db)
            let machine = try KnowledgeQueries.machine(of: key, db)
            for stage in stages { _ = try StageWord.resolve(stage, in: machine) }
            return Self.page(
                "model_versions",
                try ModelQueries.latestVersions(of: key, stages: stages.isEmpty ? nil : stages, aliases: true, db),
                .start)
        }
    }

    private static func told(model key: String, _ db: Database) throws -> JSONValue {
        // As MLflow does it: a change is answered without the versions.
        var model = try ModelQueries.json(ModelQueries.row(of: key, db), db).object ?? [:]
        model["latest_versions"] = nil
        return ["registered_model": .object(model)]
    }

    static func description(_ call: MLflowCall) throws(MLflowError) -> String? {
        guard let text = try call.text("description") else { return nil }
        try Limits.check(text, Limits.description, "description")
        return text
    }

    static func modelTags(_ call: MLflowCall) throws -> [KeyValue] { try call.pairs("tags").map(modelTag) }

    static func modelTag(_ tag: KeyValue) throws(MLflowError) -> KeyValue {
        try Names.checkKey(tag.key, "tag")
        try Limits.check(tag.value, Limits.modelTagValue, "the value of tag '\(tag.key)'")
        return tag
    }

    /// Changes a model by what clients call it; the body is given Martlet's own name.
    func change(
        model call: MLflowCall, _ body: @escaping @Sendable (Transaction, String, Caller) throws -> JSONValue
    ) async throws -> Response {
        let (name, caller) = (try call.required("name"), call.caller)
        return try await write { tx in
            let key = try ModelQueries.key(of: name, tx.db)
            try caller.checkOwner(of: key, tx.db)
            return try body(tx, key, caller)
        }
    }
}

extension [KeyValue] {
    /// The last word counts.
    var dictionary: [String: String] { Dictionary(map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }) }
}

extension Caller {
    /// A training run's code changes no other project's model, and a fork's none at all.
    func checkOwner(of model: String, _ db: Database) throws {
        guard let training else { return }
        if training.isUntrusted {
            throw MLflowError.denied(
                "code of a fork's pull request logs what it measures, and makes no models or versions")
        }
        let owner = try KnowledgeQueries.declaration(of: model, db)?.project
        try RegistryService.checkOwner(of: model, declaredBy: owner, asking: training.project)
    }
}

extension Transaction {
    /// Says what a client changed, in its name.
    func say<Body: EventBody>(_ body: Body, about model: String, version: Int? = nil, _ caller: Caller) throws {
        try announce(body, about: model, version: version, because: .first(actor: caller.actor.name))
    }
}
