import Foundation
import HTTPClient
import Messages
import ServiceKit

/// Carries a smoke test out: the same request until the answer is as expected, cannot heal, or the tries are used up.
struct SmokeTestRunner: Sendable {
    let parts: DeployerParts

    struct Result: Sendable, Hashable {
        var attempts: Int
        /// What was wrong with the last answer; `nil` when it was as expected.
        var problem: String?
        var answer: JSONValue?
    }

    func run(
        _ test: SmokeTest, at endpoint: String, of deployment: Deployment, because causation: Causation
    ) async throws -> Result {
        let body: Data?
        do {
            body = try bytes(test.request, deployment.id)
        } catch {
            throw StepFailure("with.request: \(error)")
        }
        let headers = try headers(test, hasBody: body != nil, causation)
        let path = test.path ?? deployment.recipe.target.score
        var problem = "not tried"
        for attempt in 1...test.attempts {
            if attempt > 1 { try await Task.sleep(for: .seconds(test.pauseSeconds)) }
            do throws(HTTPClientError) {
                let response = try await ask { root in
                    HTTPRequest(
                        method: test.method, url: "\(root)/endpoints/\(endpoint)\(path)", headers: headers, body: body,
                        timeout: .seconds(parts.settings.requestSeconds), maxResponseBytes: parts.settings.maxBody)
                }
                guard let mismatch = test.expectation.problem(status: response.status, body: response.body) else {
                    let answer = try? Wire.decode(JSONValue.self, from: response.body)
                    return Result(attempts: attempt, problem: nil, answer: answer)
                }
                problem = mismatch.reason
                guard mismatch.mayHeal else { return Result(attempts: attempt, problem: problem) }
            } catch {
                try Task.checkCancellation()
                problem = "\(error)"
                guard error.isTransient else { return Result(attempts: attempt, problem: problem) }
            }
        }
        return Result(attempts: test.attempts, problem: problem)
    }

    /// Where nobody listens as the gateway, it is being started again: no word about the model. So it is waited for, as the
    /// gateway itself holds a request while what serves is started again.
    private func ask(_ request: (String) -> HTTPRequest) async throws(HTTPClientError) -> HTTPResponse {
        let deadline = ContinuousClock.now + .seconds(parts.settings.holdSeconds)
        while true {
            do throws(HTTPClientError) {
                // Asked anew each time: after a restart of ours the gateway may listen elsewhere.
                guard let root = parts.gateway() else { throw .refused("the gateway") }
                return try await parts.client.send(request(root))
            } catch {
                guard case .refused = error, ContinuousClock.now < deadline else { throw error }
            }
            do { try await Task.sleep(for: .milliseconds(100)) } catch { throw .canceled }
        }
    }

    private func bytes(_ request: SmokeTest.Request, _ deployment: String) throws -> Data? {
        switch request {
        case .json(let value): try Wire.encode(value)
        case .file(let path): try parts.workspace.file(path, of: deployment)
        case .none: nil
        }
    }

    private func headers(
        _ test: SmokeTest, hasBody: Bool, _ causation: Causation
    ) throws -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for (name, value) in test.headers.sorted(by: { $0.key < $1.key }) {
            if name.lowercased() == "traceparent", value.string == "auto" {
                headers.append((name, Self.traceparent(continuing: causation.trace)))
            } else if let secret = SecretReference.name(in: value) {
                headers.append((name, try parts.context.secrets.value(of: secret)))
            } else if let text = value.scalarText {
                headers.append((name, text))
            }
        }
        if hasBody, !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(("content-type", "application/json"))
        }
        return headers
    }

    /// W3C Trace Context: the run's own trace where it has one, with a new span.
    private static func traceparent(continuing trace: String?) -> String {
        func hex(_ digits: Int) -> String {
            (0..<digits).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
        }
        return "00-\(trace.flatMap(Trace.id) ?? hex(32))-\(hex(16))-01"
    }
}
