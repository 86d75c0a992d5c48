import Bus
import Messages

/// The keys of a suite that `martlet up` runs over tcp: made when they are missing, and authorized.
enum SuiteKeys {
    /// Whom the CLI is on the machine of the suite.
    static let commandLine = "martlet"

    /// Lines of others stay; those of our own services are written anew, so that a newer version may what it needs.
    static func prepare(_ folder: KeyFolder) throws {
        _ = try folder.generate(Source.eventBus.name)
        let services = Source.all.compactMap { source in Presets.service(source).map { (source.name, $0) } }
        let entries = try (services + [(commandLine, Presets.commandLine)]).map { client, rights in
            AuthorizedKeys.Entry(key: try folder.generate(client).pair.publicKey, client: client, rights: rights)
        }
        try folder.edit { lines in
            for entry in entries { lines.authorize(entry) }
        }
    }
}

extension [String] {
    /// - Returns: whether anything changed. A key stands in one line only.
    @discardableResult
    mutating func authorize(_ entry: AuthorizedKeys.Entry) -> Bool {
        let places = indices.filter { Self.key(in: self[$0]) == entry.key }
        if places.count == 1, self[places[0]] == entry.text { return false }
        if let first = places.first { self[first] = entry.text } else { append(entry.text) }
        for place in places.dropFirst().reversed() { remove(at: place) }
        return true
    }

    /// Takes out the lines of a client or of one key, also where they have mistakes.
    /// - Returns: the keys.
    mutating func revoke(_ name: String) -> [PeerKey] {
        let gone = indices.filter { place in
            guard let key = Self.key(in: self[place]) else { return false }
            let words = self[place].split(whereSeparator: { $0 == " " || $0 == "\t" })
            return key.text == name || words.count > 1 && words[1] == name
        }
        let keys = gone.compactMap { Self.key(in: self[$0]) }
        for place in gone.reversed() { remove(at: place) }
        return keys
    }

    private static func key(in line: String) -> PeerKey? {
        line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap { PeerKey(String($0)) }
    }
}
