import Foundation
import HTTPClient

/// Asks a process until it answers; a refused connection only means that it is not listening yet.
struct HealthCheck: Sendable {
    let client: HTTPClient
    let port: Int
    /// `nil`: any answer on `/`.
    let path: String?

    /// What the last try got; `nil` when it is healthy. Never throws: no answer is an answer here.
    func problem() async -> String? {
        let request = HTTPRequest(
            url: "http://127.0.0.1:\(port)\(path ?? "/")", timeout: .seconds(5), connectTimeout: .seconds(2),
            maxResponseBytes: 1 << 20)
        do {
            let response = try await client.send(request)
            return path == nil || response.isSuccess ? nil : "GET \(path ?? "/") answered \(response.status)"
        } catch {
            return "GET \(path ?? "/"): \(error)"
        }
    }

    /// Returns `nil` as soon as it is healthy, what was wrong last when the time is up.
    func wait(seconds: Double) async throws -> String? {
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        var pause = Duration.milliseconds(20)
        while true {
            guard let problem = await problem() else { return nil }
            try Task.checkCancellation()
            guard ContinuousClock.now.advanced(by: pause) < deadline else { return problem }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }
}
