import Messages
import Testing

@testable import Console

/// Models as they are asked for over HTTP.
struct ModelRequestTests {
    @Test func `who is moved is the version that the person sees in the stage`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let token = try await desk.newToken("approver")
            for word in ["2", "latest", "production", "Production", "stage=production"] {
                let asked = try await desk.ask(
                    "POST", "/api/v1/models/churn/\(word)/transition", ["to": "surpassed"], token: token)
                #expect(asked.status == 202, "\(word)")
                let said = try await desk.get("/events/\(asked.json["command"]?.string ?? "")")
                #expect(said["event"]?["data"]?["version"] == "2", "\(word)")
            }
            let nobody = try await desk.ask(
                "POST", "/api/v1/models/churn/staged/transition", ["to": "production"], token: token)
            #expect(nobody.status == 404)
        }
    }

    @Test func `what is not there is told with a way out`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let wish: JSONValue = ["to": "staged"]
            let requests: [(method: String, path: String, body: JSONValue?)] = [
                ("GET", "/chrun", nil), ("GET", "/chrun/1", nil), ("GET", "/chrun/history", nil),
                ("GET", "/chrun/at?time=2026-01-31T12:00:00Z", nil), ("POST", "/chrun/verify", [:]),
                ("POST", "/chrun/2/transition", wish), ("GET", "/churn/9", nil), ("GET", "/churn/0", nil),
                ("GET", "/churn/nowhere", nil), ("GET", "/churn/history?version=9", nil),
                ("POST", "/churn/9/transition", wish),
            ]
            for (method, path, body) in requests {
                let answer = try await desk.ask(method, "/api/v1/models" + path, body)
                #expect(answer.status == 404, "\(method) \(path)")
                let isModel = path.hasPrefix("/chrun")
                #expect(answer.json["error"]?.string?.hasPrefix(isModel ? "no model" : "churn has no version") == true)
                #expect(answer.json["hint"]?.string?.contains(isModel ? "'churn'" : "martlet models show") == true)
            }
        }
    }
}
