import Foundation
import HTTPClient
import Messages
import Testing

@testable import Console

struct RunPageTests {
    private func page(_ desk: Desk, _ path: String, headers: [(name: String, value: String)]) async throws
        -> HTTPResponse
    {
        try await HTTPClient().send(HTTPRequest(url: desk.caller.url + path, headers: headers))
    }

    private func basic(_ token: String) -> (name: String, value: String) {
        ("Authorization", "Basic " + Data("kim:\(token)".utf8).base64EncodedString())
    }

    @Test func `the link in a notification leads to the run's facts, for whoever has a token`() async throws {
        try await Desk.open { desk in
            try await desk.chronicle.pushToProduction()
            let run = try #require(try await desk.get("/runs")["items"]?.array?.first)
            let path = "/runs/\(run["id"]?.string ?? "")"
            let unknown = try await page(desk, path, headers: [])
            #expect(unknown.status == 401 && unknown.header("www-authenticate")?.hasPrefix("Basic ") == true)
            #expect(!String(decoding: unknown.body, as: UTF8.self).contains("churn"))
            let token = try await desk.newToken("viewer")
            for header in [basic(token), (name: "Authorization", value: "Bearer \(token)")] {
                let shown = try await page(desk, path, headers: [header])
                let html = String(decoding: shown.body, as: UTF8.self)
                #expect(shown.status == 200 && shown.header("content-type") == "text/html; charset=utf-8")
                #expect(html.contains("#\(run["number"]?.int ?? 0)") && html.contains("succeeded"))
                #expect(
                    shown.header("content-security-policy")?.hasPrefix("default-src 'none'; style-src 'sha256-") == true
                )
            }
            #expect(try await page(desk, "/runs/none", headers: [basic(token)]).status == 404)
            #expect(try await page(desk, path, headers: [basic(token + "0")]).status == 401)
        }
    }

    @Test func `a name and a password open no door of the API`() async throws {
        try await Desk.open { desk in
            let (name, value) = basic(desk.token)
            let answer = try await HTTPClient().send(
                HTTPRequest(url: desk.caller.url + "/api/v1/runs", headers: [(name, value)]))
            #expect(answer.status == 401)
        }
    }

    @Test func `whatever a repository or program says stays text`() {
        let evil = "<script>alert(1)</script>\"'&"
        let step: JSONValue = ["step": .string(evil), "title": .string(evil), "message": .string(evil)]
        let job: JSONValue = ["job": .string(evil), "message": .string(evil), "steps": .array([step])]
        let approval: JSONValue = ["state": "waiting", "id": .string(evil), "environment": .string(evil)]
        let version: JSONValue = ["model": .string(evil), "version": 1, "stage": .string(evil)]
        var run: [String: JSONValue] = [
            "jobs": .array([job]), "approvals": .array([approval]), "versions": .array([version]),
            "decisions": .array([["message": .string(evil)]]),
        ]
        for name in ["id", "project", "pipeline", "note", "branch", "sha", "message", "reason", "actor", "outcome"] {
            run[name] = .string(evil)
        }
        let html = RunDocument(.object(run)).html
        #expect(!html.contains("<script") && !html.contains("\"'&"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"))
    }
}
