import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addApprovals(_ routes: Routes) {
        routes.get("/approvals") { call in
            let page = try call.page()
            let state = call.query("state") ?? "waiting"
            return Reply(
                try await store.read { db in
                    try ListQueries.approvals(state: state == "all" ? nil : state, page, db)
                })
        }
        routes.get("/approvals/{id}") { call in Reply(try await approval(call)) }
        routes.post("/approvals/{id}", .approver) { call in
            guard let approve = call.body["approve"]?.bool else {
                throw Refusal(400, "the body lacks 'approve'", hint: "send {\"approve\": true} or {\"approve\": false}")
            }
            let approval = try await approval(call)
            let id = approval["id"]?.string ?? ""
            if let state = approval["state"]?.string, state != "waiting" {
                throw Refusal(
                    409, "this approval is no longer waiting: \(state)",
                    hint: "'martlet approvals list' shows what waits")
            }
            let body = ApprovalAnswered(
                approval: id, approve: approve, comment: try call.optionalText("comment"), groups: call.person.groups,
                email: call.person.email)
            return try await accept(
                body, call, subject: "approval/\(id)", key: approval["run"]?.string ?? id)
        }
    }

    /// By its own id, or as the only waiting one of a run.
    private func approval(_ call: Call) async throws -> JSONValue {
        let text = try call.path("id")
        return try await store.read { db in
            if let found = try ListQueries.approval(text, db) { return found }
            let missing = Refusal(404, "no approval '\(text)'", hint: "'martlet approvals list' shows what waits")
            guard let run = try? RunQueries.resolve(text, db) else { throw missing }
            let waiting = try ListQueries.waitingApprovals(of: run, db)
            guard let first = waiting.first else {
                throw Refusal(
                    404, "run \(run) waits for no approval", hint: "'martlet approvals list' shows what waits")
            }
            guard waiting.count == 1 else {
                throw Refusal(
                    409, "run \(run) waits for \(waiting.count) approvals",
                    hint: "give the id of one: \(waiting.compactMap { $0["id"]?.string }.joined(separator: ", "))")
            }
            return first
        }
    }
}
