import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addModels(_ routes: Routes) {
        routes.get("/models") { call in
            let (page, withDeleted) = (try call.page(), call.query("deleted") == "true")
            return Reply(
                try await store.read { db in try ModelQueries.list(page, withDeleted: withDeleted, db) })
        }
        routes.get("/models/{model}") { call in
            let (model, page) = (try call.path("model"), try call.page())
            return Reply(
                try await store.read { db in
                    try ModelQueries.check(model, db)
                    return try ModelQueries.versions(model, page, db).with("model", .string(model))
                })
        }
        routes.get("/models/{model}/history") { call in
            let (model, page) = (try call.path("model"), try call.page())
            let version = call.query("version")
            return Reply(
                try await store.read { db in
                    try ModelQueries.check(model, db)
                    let number = try version.map { try ModelQueries.known($0, of: model, db) }
                    return try ModelQueries.history(model, version: number, page, db)
                })
        }
        routes.get("/models/{model}/at") { call in
            let model = try call.path("model")
            guard let time = try call.time("time") else {
                throw Refusal(400, "the query lacks 'time'", hint: "add ?time=2026-01-31T12:00:00Z")
            }
            return Reply(
                try await store.read { db in
                    try ModelQueries.check(model, db)
                    return [
                        "model": .string(model), "time": .string(time.text),
                        "items": .array(try ModelQueries.at(model, time.text, db)),
                    ]
                })
        }
        routes.get("/models/{model}/{version}") { call in
            let (model, version) = (try call.path("model"), try call.path("version"))
            return Reply(
                try await store.read { db in
                    try ModelQueries.check(model, db)
                    return try ModelQueries.version(model, try ModelQueries.known(version, of: model, db), db) ?? .null
                })
        }
        routes.post("/models/{model}/verify", .operator) { call in
            let model = try call.path("model")
            try await store.read { db in try ModelQueries.check(model, db) }
            return try await accept(
                HistoryCheckRequested(model: model), call, subject: "model/\(model)", key: model)
        }
        routes.post("/models/{model}/{version}/transition", .approver) { call in
            let (model, version) = (try call.path("model"), try call.path("version"))
            let to = try call.text("to")
            // The one that the person sees there: who is in a stage may be another when the registry hears of it.
            let number = try await store.read { db in
                try ModelQueries.check(model, db)
                return try ModelQueries.present(version, of: model, db)
            }
            let body = TransitionRequested(
                model: model, version: String(number), to: to, expect: try call.optionalText("expect"),
                reason: try call.optionalText("reason"), groups: call.person.groups,
                expectHolder: try call.optionalText("expectHolder"))
            return try await accept(body, call, subject: "model/\(model)/\(number)", key: model)
        }
    }
}
