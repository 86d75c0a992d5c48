import Foundation

/// An API token as people carry it: `mlt_<id>_<secret>`. Only the secret's hash is ever stored.
struct TokenText: Sendable, Hashable {
    static let prefix = "mlt_"

    let id: String
    let secret: String

    init(id: String, secret: String) {
        self.id = id
        self.secret = secret
    }

    /// `nil` unless the text has the form of a token.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count <= 200 else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isAllowed) }) else {
            return nil
        }
        self.init(id: String(parts[0]), secret: String(parts[1]))
    }

    var text: String { "\(Self.prefix)\(id)_\(secret)" }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    /// The token of an `Authorization: Bearer …` header.
    static func bearer(_ header: String?) -> TokenText? {
        guard let header, header.lowercased().hasPrefix("bearer ") else { return nil }
        return TokenText(header.dropFirst("bearer ".count).trimmingCharacters(in: .whitespaces))
    }

    /// The token as the password of an `Authorization: Basic …` header (RFC 7617), whatever the name.
    static func password(_ header: String?) -> TokenText? {
        guard let header, header.lowercased().hasPrefix("basic "), header.utf8.count <= 1024,
            let bytes = Data(base64Encoded: header.dropFirst("basic ".count).trimmingCharacters(in: .whitespaces))
        else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? TokenText(String(parts[1])) : nil
    }
}

/// Takes as long for a wrong first byte as for a wrong last one, so that time tells nothing of a stored hash.
func equalInConstantTime(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
