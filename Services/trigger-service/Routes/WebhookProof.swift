import Artifacts
import Crypto
import Foundation
import Messages
import ServiceKit

/// What came over the wire, and whether a secret proves it; each forge in its own way, each in constant time.
struct WebhookProof: Sendable {
    /// How far a signed time may be from ours (Standard Webhooks).
    static let tolerance: Duration = .seconds(300)

    let forge: Forge
    let header: @Sendable (String) -> String?
    let body: Data
    /// Seconds since 1970.
    let now: Int64

    func holds(with secret: String) -> Bool {
        // An empty secret would let in everybody who knows that it is empty.
        guard !secret.isEmpty else { return false }
        switch forge {
        case .github: return isSigned(header("X-Hub-Signature-256"), prefix: "sha256=", secret)
        case .gitea:
            let own = header("X-Gitea-Signature") ?? header("X-Forgejo-Signature")
            return own.map { isSigned($0, prefix: "", secret) }
                ?? isSigned(header("X-Hub-Signature-256"), prefix: "sha256=", secret)
        case .gitlab:
            if let signatures = header("webhook-signature") { return isStandard(signatures, secret) }
            return isSame(header("X-Gitlab-Token"), secret)
        case .azureDevOps:
            return isSame(BasicCredentials(header("Authorization"))?.password ?? header("X-Martlet-Token"), secret)
        }
    }

    /// The hexadecimal HMAC-SHA256 of the body.
    private func isSigned(_ signature: String?, prefix: String, _ secret: String) -> Bool {
        guard let signature, signature.hasPrefix(prefix), let bytes = Self.bytes(hex: signature.dropFirst(prefix.count))
        else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            bytes, authenticating: body, using: SymmetricKey(data: Data(secret.utf8)))
    }

    /// Standard Webhooks: `v1,<base64>` of `id.time.body`; several while a secret is being changed.
    private func isStandard(_ signatures: String, _ secret: String) -> Bool {
        guard let id = header("webhook-id"), let stamp = header("webhook-timestamp"), let time = Int64(stamp),
            time >= now - Self.tolerance.components.seconds, time <= now + Self.tolerance.components.seconds
        else { return false }
        let key =
            secret.hasPrefix("whsec_")
            ? Data(base64Encoded: String(secret.dropFirst("whsec_".count))) ?? Data(secret.utf8) : Data(secret.utf8)
        let signed = Data("\(id).\(stamp).".utf8) + body
        return signatures.split(separator: " ").contains { signature in
            guard signature.hasPrefix("v1,"), let bytes = Data(base64Encoded: String(signature.dropFirst(3))) else {
                return false
            }
            return HMAC<SHA256>.isValidAuthenticationCode(bytes, authenticating: signed, using: SymmetricKey(data: key))
        }
    }

    /// The secret itself; digests are compared, so that not even its length is told.
    private func isSame(_ token: String?, _ secret: String) -> Bool {
        guard let token else { return false }
        return equalInConstantTime(Digest(of: Data(token.utf8)).bytes, Digest(of: Data(secret.utf8)).bytes)
    }

    /// `nil` unless there are 64 hex digits.
    private static func bytes(hex: Substring) -> Data? { Digest("sha256:" + hex.lowercased())?.bytes }

    /// The same whenever the forge delivers this again.
    func id(_ payload: Payload) -> String {
        let given: String? =
            switch forge {
            case .github: header("X-GitHub-Delivery")
            case .gitlab: header("webhook-id") ?? header("Idempotency-Key")
            // Gitea's is another one for each attempt.
            case .gitea: nil
            case .azureDevOps: payload.optional("id")
            }
        if let given, (1...200).contains(given.utf8.count), given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            return given
        }
        // Of GitLab, another event with the same body has another id.
        let event = forge == .gitlab ? header("X-Gitlab-Event-UUID") ?? "" : ""
        return String(Digest(of: Data(event.utf8) + body).hex.prefix(32))
    }
}
