import Crypto
import Foundation

/// An API token as people carry it: `mlt_<id>_<secret>`. Only the secret's digest is ever stored or told of.
package struct TokenText: Sendable, Hashable {
    package static let prefix = "mlt_"

    package let id: String
    package let secret: String

    package init(id: String, secret: String) {
        self.id = id
        self.secret = secret
    }

    /// `nil` unless the text has the form of a token.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count <= 200 else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isAllowed) }) else {
            return nil
        }
        self.init(id: String(parts[0]), secret: String(parts[1]))
    }

    package var text: String { "\(Self.prefix)\(id)_\(secret)" }

    /// SHA-256 of the secret: 256 random bits, so that nobody finds them by trying (docs/decisions/0013).
    package var digest: Data { Data(SHA256.hash(data: Data(secret.utf8))) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    /// The token of an `Authorization: Bearer …` header.
    package static func bearer(_ header: String?) -> TokenText? {
        guard let header, header.lowercased().hasPrefix("bearer ") else { return nil }
        return TokenText(header.dropFirst("bearer ".count).trimmingCharacters(in: .whitespaces))
    }

    /// The token as the password of an `Authorization: Basic …` header, whatever the name.
    package static func password(_ header: String?) -> TokenText? {
        BasicCredentials(header).flatMap { TokenText($0.password) }
    }
}

/// Name and password of an `Authorization: Basic …` header (RFC 7617).
package struct BasicCredentials: Sendable, Hashable {
    package let name: String
    package let password: String

    /// `nil` for any other header.
    package init?(_ header: String?) {
        guard let header, header.lowercased().hasPrefix("basic "), header.utf8.count <= 1024,
            let bytes = Data(base64Encoded: header.dropFirst("basic ".count).trimmingCharacters(in: .whitespaces))
        else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        (name, password) = (String(parts[0]), String(parts[1]))
    }
}

/// Takes as long for a wrong first byte as for a wrong last one, so that time tells nothing of a stored secret.
package func equalInConstantTime(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
