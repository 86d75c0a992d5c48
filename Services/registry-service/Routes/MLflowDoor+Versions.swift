import Artifacts
import Foundation
import GRDB
import Hummingbird
import Messages
import Store

extension MLflowDoor {
    func addVersions(_ routes: MLflowRoutes) {
        routes.post("/model-versions/create", .writing, createVersion)
        routes.get("/model-versions/get", .reading) { call in
            let (name, version) = (try call.required("name"), try call.version())
            return try await read { db in
                let row = try VersionSearch.row(named: name, version: version, db)
                return ["model_version": try VersionSearch.json(row["version"], of: row["model"], aliases: true, db)]
            }
        }
        routes.get("/model-versions/search", .reading) { call in
            let filter = try FilterParser.filter(call.text("filter"), .versions)
            let order = try FilterParser.ordering(call.texts("order_by"), .versions)
            let page = try call.page()
            let limit = try call.limit(default: 10_000, most: Limits.mostVersions)
            return try await read { db in
                let found = try VersionSearch.search(filter, order, page: page, limit: limit, db)
                return Self.page("model_versions", found.items, found.next)
            }
        }
        routes.get("/model-versions/get-download-uri", .reading) { call in
            let (name, version) = (try call.required("name"), try call.version())
            return try await read { db in
                let row = try VersionSearch.row(named: name, version: version, db)
                // Never where it was made of: what is there may be written over, or deleted.
                return ["artifact_uri": .string(ArtifactPath.version(row["model"], row["version"]).uri)]
            }
        }
        routes.patch("/model-versions/update", .writing) { call in
            let description = try Self.description(call) ?? ""
            return try await change(version: call) { tx, key, number, caller in
                try tx.describe(version: number, of: key, description)
                try tx.say(
                    ModelVersionUpdated(model: key, version: number, description: description), about: key,
                    version: number, caller)
                return ["model_version": try VersionSearch.json(number, of: key, tx.db)]
            }
        }
        routes.post("/model-versions/set-tag", .writing) { call in
            let tag = try Self.modelTag(call.pair())
            return try await change(version: call) { tx, key, number, caller in
                try tx.change(tags: [tag.key: tag.value], of: number, key, caller)
            }
        }
        routes.delete("/model-versions/delete-tag", .writing) { call in
            let tag = try call.required("key")
            return try await change(version: call) { tx, key, number, caller in
                try tx.change(tags: [tag: nil], of: number, key, caller)
            }
        }
        routes.delete("/model-versions/delete", .deciding, delete)
        routes.post("/model-versions/transition-stage", .deciding, transition)
    }

    /// Changes a version by what clients call its model; the body is given Martlet's own name.
    private func change(
        version call: MLflowCall,
        _ body: @escaping @Sendable (Transaction, String, Int, Caller) throws -> JSONValue
    ) async throws -> Response {
        let (name, version, caller) = (try call.required("name"), try call.version(), call.caller)
        return try await write { tx in
            let row = try VersionSearch.row(named: name, version: version, tx.db)
            try caller.checkOwner(of: row["model"], tx.db)
            try caller.checkVersion(row["version"], of: row["model"], tx.db)
            return try body(tx, row["model"], row["version"], caller)
        }
    }

    @Sendable private func createVersion(_ call: MLflowCall) async throws -> Response {
        let name = try call.required("name")
        let source = try call.required("source")
        let place = try ModelSource(source)
        var client = Transaction.ClientVersion(
            source: source, run: try call.text("run_id") ?? "", runLink: try call.text("run_link") ?? "",
            loggedModel: try call.text("model_id"), user: call.caller.name, description: try Self.description(call))
        let (tags, caller) = (try Self.modelTags(call), call.caller)
        let logged = client.loggedModel ?? place.loggedModel
        let (found, run) = try await store.read { db in
            // Before its files are looked for, as MLflow does it.
            _ = try ModelQueries.key(of: name, db)
            let run = try logged.flatMap { try LoggedModelQueries.run(of: $0, db) }
            return (try VersionFiles.find(place, source: source, db), run)
        }
        if client.run.isEmpty { client.run = run ?? "" }
        client.maker = found.maker
        let (told, files) = (client, found.files)
        let artifact = try await files.artifact(in: artifacts)
        // Hashing a large model must not hold up everybody's commits: it is done before the transaction.
        do {
            try await artifacts.verifyAll(of: artifact.digest)
        } catch let error as ArtifactError {
            throw MLflowError.invalid("Model version source '\(source)' cannot be used: \(error)")
        }
        return try await create(call, "version") { tx in
            let key = try ModelQueries.key(of: name, tx.db)
            try caller.checkOwner(of: key, tx.db)
            let number = try tx.register(
                key, artifact, listed: files.listed, told, tags: tags.dictionary, by: caller)
            return ["model_version": try VersionSearch.json(number, of: key, tx.db)]
        }
    }

    @Sendable private func delete(_ call: MLflowCall) async throws -> Response {
        let (name, version, caller) = (try call.required("name"), try call.version(), call.caller)
        // A refusal is an event too, so it must be committed: it leaves the transaction as a value.
        let refusal = try await store.write { tx -> Refusal? in
            let row = try VersionSearch.row(named: name, version: version, tx.db)
            let (key, number): (String, Int) = (row["model"], row["version"])
            try caller.checkOwner(of: key, tx.db)
            do {
                try tx.delete(version: number, of: key, caller)
            } catch let refusal as Refusal {
                try tx.refuse(deletionOf: number, of: key, refusal, caller)
                return refusal
            }
            try tx.touch(model: key)
            return nil
        }
        if let refusal { throw refusal }
        return try Self.reply(Self.done)
    }

    @Sendable private func transition(_ call: MLflowCall) async throws -> Response {
        let (name, version) = (try call.required("name"), try call.version())
        let (stage, caller) = (try call.required("stage"), call.caller)
        let archives = try call.flag("archive_existing_versions")
        // Not of MLflow: the change only happens when the version is where the client believes it to be.
        let expect = try call.text("expect")
        // A refusal is an event too, so it must be committed: it leaves the transaction as a value.
        let refusal = try await store.write { tx -> (answer: JSONValue?, refusal: Refusal?) in
            let row = try VersionSearch.row(named: name, version: version, tx.db)
            let (key, number): (String, Int) = (row["model"], row["version"])
            try caller.checkOwner(of: key, tx.db)
            var machine = try KnowledgeQueries.machine(of: key, tx.db)
            let target = try StageWord.resolve(stage, in: machine)
            if archives, let target {
                guard target != "Archived" else {
                    throw MLflowError.invalid(
                        "Model version transition cannot archive existing model versions because '\(stage)' is not an "
                            + "Active stage. Valid stages are Staging, Production"
                    )
                }
                machine = StageWord.archiving(target, in: machine)
            }
            let order = TransitionOrder(
                model: key, selector: .number(number), to: target ?? "none", expect: expect,
                actor: caller.actor,
                reason: "an MLflow client asked for it")
            let because = Causation.first(actor: caller.actor.name)
            do {
                _ = try tx.carryOut(order, machine: machine, because: because)
            } catch let refusal as Refusal {
                try tx.refuse(order, reason: refusal.reason, command: nil, because: because)
                return (nil, refusal)
            }
            try tx.touch(model: key)
            return (["model_version": try VersionSearch.json(number, of: key, aliases: true, tx.db)], nil)
        }
        if let why = refusal.refusal { throw why }
        return try Self.reply(refusal.answer ?? Self.done)
    }
}
