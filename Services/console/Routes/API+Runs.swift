import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    static let mostParameterBytes = 16_384
    static let runStates = ["queued", "running", RunQueries.canceling, "finished"] + Outcome.allCases.map(\.rawValue)

    func addRuns(_ routes: Routes) {
        routes.get("/runs") { call in
            let page = try call.page()
            let (project, pipeline) = (call.query("project"), call.query("pipeline"))
            let (state, branch) = (call.query("state"), call.query("branch"))
            if let state, !Self.runStates.contains(state) {
                throw Refusal(
                    400, "'state=\(state)' is no state of a run",
                    hint: "take one of \(Self.runStates.joined(separator: ", "))")
            }
            return Reply(
                try await store.read { db in
                    try RunQueries.list(
                        project: project, pipeline: pipeline, state: state, branch: branch, page, db)
                })
        }
        routes.get("/runs/{run}") { call in
            let text = try call.path("run")
            return Reply(
                try await store.read { db in try RunQueries.show(try RunQueries.resolve(text, db), db) ?? .null })
        }
        routes.post("/runs", .operator) { call in
            let project = try call.text("project")
            let pipeline = try call.text("pipeline")
            try await store.read { db in try ListQueries.check(project: project, pipeline: pipeline, db) }
            guard let parameters = (call.body["parameters"] ?? .object([:])).object else {
                throw Refusal(400, "'parameters' is not an object", hint: "write it as {\"name\": value}")
            }
            guard try Wire.encode(JSONValue.object(parameters)).count <= Self.mostParameterBytes else {
                throw Refusal(
                    413, "the parameters are longer than \(Self.mostParameterBytes) bytes",
                    hint: "put what is large into the repository or an artifact, and name it in a parameter")
            }
            let body = RunRequested(
                project: project, pipeline: pipeline, branch: try call.optionalText("branch"),
                sha: try call.optionalText("sha"), parameters: parameters, email: call.person.email)
            return try await accept(body, call, subject: "project/\(project)", key: "project/\(project)")
        }
        routes.post("/runs/{run}/cancel", .operator) { call in
            let run = try await resolve(call)
            if try await store.read({ db in try RunQueries.state(run, db) }) == "finished" {
                throw Refusal(409, "run \(run) has already ended", hint: "'martlet runs show \(run)' says how")
            }
            let body = RunCancelRequested(run: run, reason: try call.optionalText("reason"))
            return try await accept(body, call, subject: "run/\(run)", key: run)
        }
        routes.post("/runs/{run}/bypass", .approver) { call in
            let run = try await resolve(call)
            let reason = try call.text("reason")
            guard !reason.allSatisfy(\.isWhitespace) else {
                throw Refusal(400, "'reason' is empty", hint: "say why, for those who ask later")
            }
            let body = BypassRequested(run: run, step: try call.optionalText("step"), reason: reason)
            return try await accept(body, call, subject: "run/\(run)", key: run)
        }
        routes.post("/runs/{run}/retry", .operator) { call in
            let run = try await resolve(call)
            if try await store.read({ db in try RunQueries.state(run, db) }) != "finished" {
                throw Refusal(409, "run \(run) has not ended yet", hint: "wait for it, or cancel it first")
            }
            let body = RunRetryRequested(run: run, all: call.body["all"]?.bool ?? false)
            return try await accept(body, call, subject: "run/\(run)", key: run)
        }
    }

    func resolve(_ call: Call) async throws -> String {
        let text = try call.path("run")
        return try await store.read { db in try RunQueries.resolve(text, db) }
    }
}
