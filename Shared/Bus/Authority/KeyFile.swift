import Foundation

/// The text of a key file, in ZeroMQ's certificate format: pyzmq's `load_certificate` and czmq's `zcert` read it too.
enum KeyFile {
    static func text(of pair: KeyPair, client: String) -> String {
        """
        #   Bus key of \(client). Whoever has this file is \(client): show it to nobody.
        metadata
        curve
            public-key = "\(pair.publicKey)"
            secret-key = "\(pair.secret)"

        """
    }

    static func text(of key: PeerKey, client: String) -> String {
        """
        #   Public bus key of \(client); no secret.
        metadata
        curve
            public-key = "\(key)"

        """
    }

    /// - Returns: the values of `public-key` and `secret-key`, unchecked.
    static func values(in text: String) -> (publicKey: String?, secret: String?) {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            // A comment, not a key that begins with '#': keys stand behind their names.
            guard !line.hasPrefix("#"), let mark = line.firstIndex(of: "=") else { continue }
            let name = line[..<mark].trimmingCharacters(in: .whitespaces)
            let value = line[line.index(after: mark)...].trimmingCharacters(in: .whitespaces)
            values[name] = value.trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
        }
        return (values["public-key"], values["secret-key"])
    }
}
