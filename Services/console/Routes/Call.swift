import Artifacts
import Foundation
import HTTPTypes
import Hummingbird
import Messages
import ServiceKit

/// One admitted question, as a route sees it.
struct Call: Sendable {
    let person: Person
    let body: JSONValue
    private let request: Request
    private let parameters: Parameters

    init(person: Person, body: JSONValue, request: Request, parameters: Parameters) {
        self.person = person
        self.body = body
        self.request = request
        self.parameters = parameters
    }

    /// A part of the path, decoded: a repository's or model's name may hold any character.
    func path(_ name: String) throws -> String {
        guard let text = parameters.get(name)?.removingPercentEncoding, !text.isEmpty else {
            throw Refusal(400, "the path lacks '\(name)'", hint: "see 'martlet --help' for how to ask")
        }
        return text
    }

    /// `nil` for a parameter that is not given, or given empty.
    func query(_ name: String) -> String? {
        guard let text = request.uri.queryParameters.get(name), !text.isEmpty else { return nil }
        return text
    }

    func number(_ name: String, _ range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let text = query(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw Refusal(
                400, "'\(name)=\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)",
                hint: "leave it out for \(fallback)")
        }
        return number
    }

    func page() throws -> Page {
        Page(limit: try number("limit", 1...Page.most, default: 50), after: query("after"))
    }

    /// A time of the query; `nil` where none is given.
    func time(_ name: String) throws -> Timestamp? {
        guard let text = query(name) else { return nil }
        guard let time = Timestamp(text) else {
            throw Refusal(400, "'\(name)=\(text)' is not a time", hint: "write it as 2026-01-31T12:00:00Z")
        }
        return time
    }

    func text(_ name: String) throws -> String {
        guard let text = try optionalText(name), !text.isEmpty else {
            throw Refusal(400, "the body lacks '\(name)'", hint: "send a JSON object with the text '\(name)'")
        }
        return text
    }

    /// - Parameter most: bytes in UTF-8.
    func optionalText(_ name: String, most: Int = 4096) throws -> String? {
        guard let value = body[name], value != .null else { return nil }
        guard let text = value.string else { throw Refusal(400, "'\(name)' is not a text", hint: "put it in quotes") }
        guard text.utf8.count <= most else {
            throw Refusal(
                413, "'\(name)' has \(text.utf8.count) bytes; it may have \(most)", hint: "say it shorter")
        }
        return text
    }

    static let mostListedBytes = 200

    func texts(_ name: String) throws -> [String]? {
        guard let value = body[name], value != .null else { return nil }
        guard let items = value.array, items.count <= 100, items.allSatisfy({ $0.string != nil }) else {
            throw Refusal(400, "'\(name)' is not a list of at most 100 texts", hint: "write it as [\"a\", \"b\"]")
        }
        let texts = items.compactMap(\.string)
        guard texts.allSatisfy({ (1...Self.mostListedBytes).contains($0.utf8.count) }) else {
            throw Refusal(
                413, "a text of '\(name)' is empty or longer than \(Self.mostListedBytes) bytes", hint: "say it shorter"
            )
        }
        return texts
    }

    /// The person's own key for "the same thing again"; two people never share one.
    func idempotency() throws -> String? {
        guard let name = HTTPField.Name("Idempotency-Key"), let key = request.headers[name], !key.isEmpty else {
            return nil
        }
        guard key.utf8.count <= 200 else {
            throw Refusal(400, "the Idempotency-Key is longer than 200 bytes", hint: "a UUID is enough")
        }
        return "\(person.token)/\(key)"
    }

    /// Digest of the request as it was written. What it comes to may be something else when it is said again: `latest`
    /// and the holder of a stage are other versions by then.
    func written() throws -> String {
        let text = "\(request.method.rawValue) \(request.uri.path) \(try jsonText(body))"
        return Digest(of: Data(text.utf8)).text
    }
}
