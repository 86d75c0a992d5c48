import Foundation
import Messages

/// A forge's JSON; whoever asks it for something that is not there gets an error with the place.
struct Payload: Sendable {
    private let value: JSONValue?
    /// Of this part, from the top: `pull_request.head.`.
    private let prefix: String

    init(_ value: JSONValue) {
        self.value = value
        prefix = ""
    }

    private init(_ value: JSONValue?, _ prefix: String) {
        self.value = value
        self.prefix = prefix
    }

    /// A part of it: `pull_request.head`.
    subscript(path: String) -> Payload { Payload(find(path), "\(prefix)\(path).") }

    var isThere: Bool { value.map { $0 != .null } ?? false }

    func optional(_ path: String) -> String? { find(path)?.string }

    func flag(_ path: String) -> Bool { find(path) == .bool(true) }

    func text(_ path: String) throws(Refusal) -> String {
        guard let text = find(path)?.string else { throw Refusal("\(prefix)\(path): a text is expected here") }
        return text
    }

    func number(_ path: String) throws(Refusal) -> Int {
        guard let number = find(path)?.int, number > 0 else {
            throw Refusal("\(prefix)\(path): a whole number above 0 is expected here")
        }
        return number
    }

    func items(_ path: String) throws(Refusal) -> [Payload] {
        guard let items = find(path)?.array else { throw Refusal("\(prefix)\(path): a list is expected here") }
        return items.enumerated().map { Payload($0.element, "\(prefix)\(path)[\($0.offset)].") }
    }

    /// A commit's whole name.
    func commit(_ path: String) throws(Refusal) -> String {
        let text = try text(path)
        guard GitNames.isCommit(text) else {
            throw Refusal("\(prefix)\(path): '\(text.shortened(to: 80))' is not a commit's name")
        }
        return text
    }

    /// A branch's name, without or with `refs/heads/` before it.
    func branch(_ path: String) throws(Refusal) -> String {
        var name = try text(path)
        if name.hasPrefix("refs/heads/") { name.removeFirst("refs/heads/".count) }
        guard GitNames.isBranch(name) else { throw Self.noName(prefix + path, name) }
        return name
    }

    /// `refs/heads/…` or `refs/tags/…` and where it points now; `nil` for other references.
    func pushed(_ ref: String, _ after: String) throws(Refusal) -> ForgeChange? {
        let name = try text(ref)
        guard name.hasPrefix("refs/heads/") || name.hasPrefix("refs/tags/") else { return nil }
        guard NamedReference(name) != nil else { throw Self.noName(prefix + ref, name) }
        let commit = try self.commit(after)
        return .pushed(ref: name, after: commit.allSatisfy { $0 == "0" } ? nil : commit)
    }

    private static func noName(_ place: String, _ name: String) -> Refusal {
        Refusal("\(place): '\(name.shortened(to: 80))' is not a name that git takes")
    }

    private func find(_ path: String) -> JSONValue? {
        var found = value
        for name in path.split(separator: ".") { found = found?[String(name)] }
        return found
    }
}
