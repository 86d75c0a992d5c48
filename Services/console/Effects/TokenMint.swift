import Crypto
import Foundation
import Messages

/// Makes tokens; the only place with chance in it.
enum TokenMint {
    static func mint(id: String? = nil) -> TokenText {
        TokenText(id: id ?? random(bytes: 8), secret: random(bytes: 32))
    }

    static func hash(_ token: TokenText) -> Data { Data(SHA256.hash(data: Data(token.secret.utf8))) }

    static func stored(
        _ token: TokenText, name: String, role: Role, groups: [String], email: String? = nil
    ) -> StoredToken {
        StoredToken(id: token.id, name: name, role: role, groups: groups, email: email, hash: hash(token))
    }

    private static func random(bytes: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<bytes).map { _ in
            let text = String(UInt8.random(in: .min ... .max, using: &generator), radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
