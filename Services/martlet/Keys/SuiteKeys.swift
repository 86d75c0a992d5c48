import Bus
import Messages

/// The keys of a suite that `martlet up` runs over tcp: made when they are missing, and authorized.
enum SuiteKeys {
    /// Whom the CLI is on the machine of the suite.
    static let commandLine = "martlet"

    /// Lines of others stay; those of our own services are written anew, so that a newer version may what it needs.
    static func prepare(_ folder: KeyFolder) throws {
        _ = try folder.generate(Source.eventBus.name)
        let entries = try clients.map { client, rights in
            AuthorizedKeys.Entry(key: try folder.generate(client).pair.publicKey, client: client, rights: rights)
        }
        try folder.edit { lines in
            for entry in entries { lines.authorize(entry) }
        }
    }

    /// As ``prepare(_:)``, with a folder for each client: a container sees its own key and no other.
    /// - Returns: the clients whose keys are new.
    static func prepare(each root: String) throws -> [String] {
        func folder(_ client: String) -> KeyFolder { KeyFolder(path: "\(root)/\(client)") }
        let bus = folder(Source.eventBus.name)
        let made = try bus.generate(Source.eventBus.name)
        var new = made.isNew ? [Source.eventBus.name] : []
        let entries = try clients.map { client, rights in
            let own = folder(client)
            let (pair, isNew) = try own.generate(client)
            try own.know(bus: made.pair.publicKey)
            if isNew { new.append(client) }
            return AuthorizedKeys.Entry(key: pair.publicKey, client: client, rights: rights)
        }
        // A key that was lost or made anew leaves a line that nobody may use any more.
        try bus.edit { lines in
            for entry in entries {
                lines.revoke(entry.client, except: entry.key)
                lines.authorize(entry)
            }
        }
        return new
    }

    private static var clients: [(String, Rights)] {
        Source.all.compactMap { source in Presets.service(source).map { (source.name, $0) } }
            + [(commandLine, Presets.commandLine)]
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

    /// Takes out the lines of a client that are not for this key.
    mutating func revoke(_ client: String, except key: PeerKey) {
        for other in revoked(client) where other != key { _ = revoke(other.text) }
    }

    private func revoked(_ client: String) -> [PeerKey] {
        var copy = self
        return copy.revoke(client)
    }

    private static func key(in line: String) -> PeerKey? {
        line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap { PeerKey(String($0)) }
    }
}
