import Crypto
import Foundation

/// The secret of a Standard Webhooks endpoint, and what it signs (standardwebhooks.com, "Signature scheme").
struct StandardWebhook: Sendable {
    private let key: SymmetricKey

    struct Problem: Error, Hashable, CustomStringConvertible { let description: String }

    /// - Parameter secret: base64, with or without `whsec_` before it.
    init(secret: String) throws(Problem) {
        let text = secret.hasPrefix("whsec_") ? String(secret.dropFirst("whsec_".count)) : secret
        // 24 to 64 bytes, as the specification has them.
        guard let bytes = Data(base64Encoded: text), (24...64).contains(bytes.count) else {
            throw Problem(description: "is not base64 of 24 to 64 bytes, as 'whsec_…'")
        }
        key = SymmetricKey(data: bytes)
    }

    /// The three headers by which a receiver knows that the body is ours, and which one it is.
    func headers(id: String, at seconds: Int64, body: Data) -> [(name: String, value: String)] {
        let signature = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(seconds).".utf8) + body, using: key)
        return [
            ("webhook-id", id), ("webhook-timestamp", String(seconds)),
            ("webhook-signature", "v1," + Data(signature).base64EncodedString()),
        ]
    }
}
