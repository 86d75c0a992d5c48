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
            let shown = (version: try call.optionalText("version"), decision: try call.optionalText("decision"))
            for (name, value) in [("version", shown.version), ("decision", shown.decision)] {
                guard let value, value != approval[name]?.scalarText else { continue }
                throw Refusal(
                    409,
                    "this approval is about another \(name): \(approval[name]?.scalarText ?? "none"), not \(value)",
                    hint: "look again: 'martlet approvals show \(id)'")
            }
            let body = ApprovalAnswered(
                approval: id, approve: approve, comment: try call.optionalText("comment"), groups: call.person.groups,
                email: call.person.email, version: shown.version, decision: shown.decision)
            return try await accept(
                body, call, subject: "approval/\(id)", key: approval["run"]?.string ?? id)
        }
        routes.post("/approvals/{id}/revoke", .approver) { call in
            let text = try call.path("id")
            guard let approval = try await store.read({ db in try ListQueries.approval(text, db) }) else {
                throw Refusal(
                    404, "no approval '\(text)'", hint: "'martlet approvals list --state all' shows every one")
            }
            if let state = approval["state"]?.string, !["waiting", "granted"].contains(state) {
                throw Refusal(
                    409, "there is nothing to take back: this approval is \(state)",
                    hint: "'martlet approvals show \(text)' says by whom")
            }
            let body = ApprovalRevokeRequested(
                approval: text, comment: try call.optionalText("comment"), groups: call.person.groups,
                email: call.person.email)
            return try await accept(
                body, call, subject: "approval/\(text)", key: approval["run"]?.string ?? text)
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
