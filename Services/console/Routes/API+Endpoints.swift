import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    func addEndpoints(_ routes: Routes) {
        routes.get("/endpoints") { call in
            let page = try call.page()
            return Reply(try await store.read { db in try ListQueries.endpoints(page, db) })
        }
        routes.get("/endpoints/{name}") { call in
            let name = try call.path("name")
            return Reply(try await endpoint(name))
        }
        // It moves stages too, as far as they go with what serves.
        routes.post("/endpoints/{name}/rollback", .approver) { call in
            let name = try call.path("name")
            _ = try await endpoint(name)
            let body = RollbackRequested(endpoint: name, reason: try call.optionalText("reason"))
            return try await accept(body, call, subject: "endpoint/\(name)", key: "endpoint/\(name)")
        }
        routes.get("/notifications") { call in
            let page = try call.page()
            return Reply(try await store.read { db in try ListQueries.notifications(page, db) })
        }
        routes.post("/notifications/test", .operator) { call in
            let project = try call.text("project")
            let known = try await store.read { db in try ListQueries.projectNames(db) }
            guard known.contains(project) else {
                throw Refusal.missing("project", project, among: known, list: "martlet status")
            }
            return try await accept(
                NotificationTestRequested(project: project), call, subject: "project/\(project)",
                key: "project/\(project)")
        }
    }

    private func endpoint(_ name: String) async throws -> JSONValue {
        try await store.read { db in
            guard let endpoint = try ListQueries.endpoint(name, db) else {
                throw Refusal.missing(
                    "endpoint", name, among: try ListQueries.endpointNames(db), list: "martlet endpoints list")
            }
            return endpoint
        }
    }
}
