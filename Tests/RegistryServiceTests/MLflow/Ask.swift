import Foundation
import HTTPClient

private let client = HTTPClient()

/// One request; in a file of its own because two libraries call theirs `HTTPRequest`.
func ask(
    _ method: String, _ url: String, headers: [(name: String, value: String)], body: Data?
) async throws -> (status: Int, body: Data) {
    let answer = try await client.send(HTTPRequest(method: method, url: url, headers: headers, body: body))
    return (answer.status, answer.body)
}
