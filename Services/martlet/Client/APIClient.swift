import Foundation
import HTTPClient
import Messages
import Synchronization

/// Asks the console.
struct APIClient: Sendable {
    /// How long a console that answered before may be away: 'martlet up' starts it again.
    private static let patience = Duration.seconds(30)

    /// Whether the console has answered this command, through whichever copy.
    private final class Acquaintance: Sendable {
        private let isMade = Mutex(false)

        var isOld: Bool { isMade.withLock { $0 } }

        func make() { isMade.withLock { $0 = true } }
    }

    private let base: String
    private let token: String?
    /// What to do when nobody answers.
    private let hint: String
    private let client = HTTPClient()
    private let acquaintance = Acquaintance()

    init(base: String, token: String?, hint: String) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
        self.hint = hint
    }

    func get(_ path: String, _ query: [(String, String?)] = []) async throws -> JSONValue {
        let given = query.compactMap { name, value in value.map { "\(name)=\(Self.escape($0))" } }
        return try await ask("GET", given.isEmpty ? path : path + "?" + given.joined(separator: "&"))
    }

    /// Said again with the same key when the connection breaks: the console takes it once.
    func post(_ path: String, _ body: JSONValue = .object([:])) async throws -> JSONValue {
        try await ask("POST", path, body: try Wire.encode(body), key: UUID().uuidString)
    }

    func delete(_ path: String) async throws -> JSONValue {
        try await ask("DELETE", path, key: UUID().uuidString)
    }

    static func path(_ parts: [String]) -> String { parts.map { "/" + escape($0) }.joined() }

    /// A name as a part of a path or query.
    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }

    private static let allowed = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    private func ask(_ method: String, _ path: String, body: Data? = nil, key: String? = nil) async throws -> JSONValue
    {
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        if let key { headers.append(("Idempotency-Key", key)) }
        if body != nil { headers.append(("Content-Type", "application/json")) }
        let request = HTTPRequest(
            method: method, url: base + "/api/v1" + path, headers: headers, body: body, timeout: .seconds(60),
            maxResponseBytes: 64 << 20)
        return try read(try await send(request))
    }

    private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        var tries = 0
        var deadline: ContinuousClock.Instant?
        while true {
            do {
                let response = try await client.send(request)
                acquaintance.make()
                return response
            } catch .lost where tries < 3 {
                tries += 1
            } catch .refused where acquaintance.isOld && (deadline.map { ContinuousClock.now < $0 } ?? true) {
                deadline = deadline ?? (ContinuousClock.now + Self.patience)
                try await Task.sleep(for: .milliseconds(250))
            } catch .canceled {
                throw CancellationError()
            } catch {
                throw Failure.unreachable("the console at \(base) does not answer: \(error)", hint: hint)
            }
        }
    }

    private func read(_ response: HTTPResponse) throws -> JSONValue {
        let value = try? Wire.decode(JSONValue.self, from: response.body)
        guard response.isSuccess else {
            throw Failure(
                value?["error"]?.string ?? "the console answered \(response.status)", hint: value?["hint"]?.string)
        }
        guard let value else {
            throw Failure.unreachable("what answers at \(base) is not Martlet's console", hint: hint)
        }
        return value
    }
}

extension APIClient {
    /// Asks for something to be done and waits for the word of the service that does it.
    ///
    /// - Returns: the command; `state` is still `waiting` when nobody has answered within ten seconds.
    func command(_ accepted: JSONValue) async throws -> JSONValue {
        let id = accepted.text("command")
        let command = try await get("/commands/\(id)", [("wait", "10")])
        if command["state"]?.string == "refused" {
            throw Failure(
                "refused: \(command.text("reason"))", hint: "'martlet why \(id)' shows what was asked for")
        }
        return command
    }

    /// All pages of a listing, at most `most` rows.
    func all(_ path: String, _ query: [(String, String?)] = [], most: Int) async throws -> JSONValue {
        var items: [JSONValue] = []
        var after: String?
        repeat {
            let limit = String(min(500, most - items.count))
            let page = try await get(path, query + [("limit", limit), ("after", after)])
            items += page.items
            after = page["next"]?.string
        } while after != nil && items.count < most
        return ["items": .array(items), "next": after.map { .string($0) } ?? .null]
    }
}
