import Foundation
import Messages

#if canImport(Glibc)
    import Glibc
#endif

/// `authorized_keys`, read: one key a line, with the client that it belongs to and what that client may do.
///
/// `<z85 public key> <client> [pub=TOPICS] [sub=feed|PREFIXES] [req=METHODS] [rate=N]`
///
/// A line with a mistake gives its key nothing, and the others go on: one slip of the pen must neither shut everybody out
/// nor keep a revoked key alive, as keeping the old file would.
package struct AuthorizedKeys: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var key: PeerKey
        package var client: String
        package var rights: Rights
        package var line: Int

        package init(key: PeerKey, client: String, rights: Rights, line: Int = 0) {
            self.key = key
            self.client = client
            self.rights = rights
            self.line = line
        }

        /// The line that says this.
        package var text: String {
            var words = [key.text, client]
            if !rights.publish.isEmpty {
                words.append("pub=\(rights.publish.map(\.description).joined(separator: ","))")
            }
            if !rights.subscribe.isEmpty {
                words.append("sub=\(rights.subscribe.map { $0.isEmpty ? "feed" : $0 }.joined(separator: ","))")
            }
            if !rights.requests.isEmpty {
                words.append("req=\(rights.requests.map(\.description).joined(separator: ","))")
            }
            words.append("rate=\(rights.rate)")
            return words.joined(separator: " ")
        }
    }

    package struct Problem: Sendable, Hashable, CustomStringConvertible {
        package var file: String
        package var line: Int
        package var message: String

        package var description: String { "\(file):\(line): \(message)" }
    }

    /// Names that the bus gives itself, or to those whom it does not know.
    package static let reservedClients: Set<String> = [Source.eventBus.name, "bus", "local", "unknown", "other"]
    package static let mostBytes = 1 << 20
    package static let mostEntries = 4_096
    package static let heading = """
        # Who may use the bus: KEY CLIENT [pub=TOPICS] [sub=feed|PREFIXES] [req=METHODS] [rate=N]
        # Changes count within a second. 'martlet keys authorize' and 'martlet keys revoke' write this file.

        """

    package private(set) var entries: [Entry] = []
    package private(set) var problems: [Problem] = []

    package init(parsing text: String, file: String) {
        var seen: [PeerKey: Int] = [:]
        var twice: Set<PeerKey> = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            do throws(Mistake) {
                guard var entry = try Self.entry(in: String(line)) else { continue }
                entry.line = index + 1
                if let first = seen[entry.key] {
                    twice.insert(entry.key)
                    throw Mistake(
                        "this key stands in line \(first) too: it gets nothing until one of the two is removed")
                }
                seen[entry.key] = entry.line
                guard entries.count < Self.mostEntries else {
                    throw Mistake("more than \(Self.mostEntries) keys; this one gets nothing")
                }
                entries.append(entry)
            } catch {
                problems.append(Problem(file: file, line: index + 1, message: error.text))
            }
        }
        entries.removeAll { twice.contains($0.key) }
    }

    /// Nobody may do anything, and why.
    package init(refusing message: String, file: String) {
        problems = [Problem(file: file, line: 1, message: message)]
    }

    private struct Mistake: Error {
        var text: String

        init(_ text: String) { self.text = text }
    }

    /// `nil` for an empty line and for a comment. A key may begin with `#`, but then the word has its 40 characters.
    private static func entry(in line: String) throws(Mistake) -> Entry? {
        let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        guard let first = words.first else { return nil }
        let key = PeerKey(first)
        if key == nil, first.hasPrefix("#") { return nil }
        guard let key else {
            throw Mistake(
                "'\(first.shortened(to: 60))' is not a public key of 40 characters of Z85; see 'martlet keys list'")
        }
        guard words.count > 1 else { throw Mistake("the client's name is missing after the key") }
        let client = words[1]
        guard Source(checking: client) != nil else {
            throw Mistake("'\(client.shortened(to: 60))' is not a client's name: use [a-z0-9.-]{1,63}")
        }
        guard !reservedClients.contains(client) else {
            throw Mistake("'\(client)' is a name of the bus itself; take another")
        }
        return Entry(key: key, client: client, rights: try rights(Array(words[2...])), line: 0)
    }

    private static func rights(_ words: [String]) throws(Mistake) -> Rights {
        var rights = Rights()
        var seen: Set<String> = []
        for word in words {
            guard let mark = word.firstIndex(of: "=") else {
                throw Mistake("'\(word.shortened(to: 60))' is none of pub=, sub=, req= and rate=")
            }
            let name = String(word[..<mark])
            guard seen.insert(name).inserted else { throw Mistake("'\(name)=' stands twice; separate by commas") }
            let values = word[word.index(after: mark)...].split(separator: ",", omittingEmptySubsequences: false)
                .map(String.init)
            switch name {
            case "pub":
                rights.publish = try list(values) {
                    TopicPattern($0)
                } hint: {
                    "pub: '\($0)' is not e/SOURCE/TYPE or t/CLIENT/TYPE; only its end may be a '*', as in e/acme/*"
                }
            case "sub":
                rights.subscribe = try list(values) {
                    subscription($0)
                } hint: {
                    "sub: '\($0)' is neither 'feed' nor a prefix that begins with e/, h/ or t/"
                }
            case "req":
                rights.requests = try list(values) {
                    RequestRight($0)
                } hint: {
                    "req: '\($0)' is not METHOD, METHOD:TARGET or claim:VERBS; only the end may be a '*', as in claim:acme/*"
                }
            case "rate":
                guard values.count == 1, let rate = Int(values[0]), (1...Rights.highestRate).contains(rate) else {
                    throw Mistake("rate: take 1 to \(Rights.highestRate) messages a second")
                }
                rights.rate = rate
            default: throw Mistake("'\(name.shortened(to: 60))=' is none of pub=, sub=, req= and rate=")
            }
        }
        return rights
    }

    private static func list<Value>(
        _ values: [String], _ read: (String) -> Value?, hint: (String) -> String
    ) throws(Mistake) -> [Value] {
        var found: [Value] = []
        for text in values {
            guard let value = read(text) else { throw Mistake(hint(text.shortened(to: 80))) }
            found.append(value)
        }
        return found
    }

    /// Every subscription is a prefix, so the `*` at its end says nothing.
    private static func subscription(_ text: String) -> String? {
        if text == "feed" { return "" }
        let prefix = text.hasSuffix("*") ? String(text.dropLast()) : text
        guard ["e/", "h/", "t/"].contains(where: prefix.hasPrefix), !prefix.contains("*"),
            prefix.utf8.count <= BusLimits.topicBytes, prefix.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        return prefix
    }
}

extension AuthorizedKeys {
    /// A file that is missing, too large or open to others authorizes nobody.
    package init(reading file: String) {
        var status = stat()
        guard stat(file, &status) == 0 else {
            self.init(
                refusing:
                    "cannot be read (\(String(cString: strerror(errno)))): nobody may use the bus; see 'martlet keys authorize'",
                file: file)
            return
        }
        guard status.st_mode & 0o022 == 0 else {
            self.init(
                refusing: "can be written by others: nobody may use the bus until 'chmod 600 \(file)'", file: file)
            return
        }
        guard status.st_size <= Self.mostBytes, let bytes = FileManager.default.contents(atPath: file),
            bytes.count <= Self.mostBytes, let text = String(bytes: bytes, encoding: .utf8)
        else {
            self.init(
                refusing: "is no text of at most \(Self.mostBytes) bytes: nobody may use the bus until it is one",
                file: file)
            return
        }
        self.init(parsing: text, file: file)
    }
}
