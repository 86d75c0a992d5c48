import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addDeadLetters(_ routes: Routes) {
        routes.get("/dead-letters") { call in
            let page = try call.page()
            let (state, service) = (call.query("state") ?? "waiting", call.query("service"))
            return Reply(
                try await store.read { db in
                    try ListQueries.deadLetters(state: state == "all" ? nil : state, service: service, page, db)
                })
        }
        routes.get("/dead-letters/{id}") { call in
            let id = try call.path("id")
            let letter = try await letter(id)
            guard let event = letter["event"]?.string else { return Reply(letter) }
            let shown = try await store.read { db in try EventQueries.show(event, db) }
            return Reply(letter.with("content", shown ?? .null))
        }
        for (word, retry) in [("retry", true), ("drop", false)] {
            routes.post("/dead-letters/{id}/\(word)", .operator) { call in
                let id = try call.path("id")
                let letter = try await letter(id)
                if let state = letter["state"]?.string, state != "waiting" {
                    throw Refusal(
                        409, "dead letter \(id) was already \(state)", hint: "'martlet dlq list' shows what waits")
                }
                let body = DeadLetterAnswered(letter: id, service: letter["service"]?.string ?? "", retry: retry)
                return try await accept(body, call, subject: "deadletter/\(id)", key: "deadletter/\(id)")
            }
        }
    }

    private func letter(_ id: String) async throws -> JSONValue {
        guard let letter = try await store.read({ db in try ListQueries.deadLetter(id, db) }) else {
            throw Refusal(404, "no dead letter '\(id)'", hint: "'martlet dlq list' shows what waits")
        }
        return letter
    }
}
