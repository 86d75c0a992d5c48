import Foundation
import ServiceKit
import Store

/// Makes tokens; the only place with chance in it.
enum TokenMint {
    static func mint(id: String? = nil) -> TokenText {
        TokenText(id: id ?? random(bytes: 8), secret: random(bytes: 32))
    }

    static func stored(
        _ token: TokenText, name: String, role: Role, groups: [String], email: String? = nil
    ) -> StoredToken {
        StoredToken(
            id: token.id, name: name, role: role.rawValue, groups: groups, email: email, hash: token.digest)
    }

    private static func random(bytes: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<bytes).map { _ in
            let text = String(UInt8.random(in: .min ... .max, using: &generator), radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
