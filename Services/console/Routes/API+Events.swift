import Bus
import Hummingbird
import Messages
import ServiceKit
import ServiceLifecycle
import Store

extension API {
    func addEvents(_ routes: Routes) {
        // `wait`: how many seconds to wait for an event where none is there yet.
        routes.get("/events") { call in
            let page = try call.page()
            let question = EventQuestion(
                type: call.query("type"), source: call.query("source"), correlation: call.query("correlation"),
                subject: call.query("subject"), key: call.query("key"), actor: call.query("actor"),
                since: try call.time("since")?.text, newestFirst: call.query("order") == "desc")
            let deadline = ContinuousClock.now.advanced(by: .seconds(try call.number("wait", 0...20, default: 0)))
            var seen: Int64 = -1
            while true {
                let last = seen
                let (newest, answer) = try await store.read { db -> (Int64, JSONValue?) in
                    let newest = try EventQueries.newest(db)
                    return (newest, newest == last ? nil : try EventQueries.list(question, page, db))
                }
                seen = newest
                // Who waits asks again, and must not keep the console from ending.
                let isOver = ContinuousClock.now >= deadline || Task.isShuttingDownGracefully
                if let answer, answer["items"]?.array?.isEmpty == false || isOver { return Reply(answer) }
                if isOver {
                    return Reply(["items": [], "next": page.after.map { .string($0) } ?? .null])
                }
                try await Task.sleep(for: .milliseconds(25))
            }
        }
        // The body is one CloudEvent in JSON; the same id and source with the same content is the same event.
        routes.post("/events", .operator) { call in
            let reply: BusReply
            do {
                reply = try await publish(try Wire.encode(call.body), call.person.actor)
            } catch {
                throw Refusal(503, "the event could not be stored: \(error)", hint: "ask again; see 'martlet status'")
            }
            guard reply.isSuccess else {
                throw Refusal(
                    reply.status, reply.error ?? "the event was not taken (\(reply.status))",
                    hint: "a CloudEvent in JSON has at least id, source and type; 'martlet events publish --help'")
            }
            return Reply(reply.params)
        }
        // Takes an event once more as a cause: whatever it starts now is new.
        routes.post("/events/{id}/replay", .operator) { call in
            let id = try call.path("id")
            let body = ReplayRequested(event: id, email: call.person.email)
            return try await accept(body, call, subject: "event/\(id)", key: id, replayOf: id)
        }
        routes.get("/events/{id}") { call in
            let id = try call.path("id")
            guard let event = try await store.read({ db in try EventQueries.show(id, db) }) else {
                throw Refusal(
                    404, "no event '\(id)'", hint: "it may be older than what is kept (MARTLET_CONSOLE_EVENTS)")
            }
            return Reply(event)
        }
    }
}
