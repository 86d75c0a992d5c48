import Crypto
import Foundation
import ServiceKit

/// Seals the secrets of webhooks for the database, with a key that lies beside it; signs with them what is sent.
struct WebhookSecrets: Sendable {
    /// Of the key; made with the first secret.
    let path: String

    /// - Parameter webhook: whose it is; it opens as no other's.
    func seal(_ secret: String, for webhook: String) throws -> Data {
        let key = try ServiceKey.at(path)
        let box = try AES.GCM.seal(Data(secret.utf8), using: key, authenticating: Data(webhook.utf8))
        guard let sealed = box.combined else {
            throw ServiceKeyError(path: path, problem: "cannot be used to seal a webhook's secret")
        }
        return sealed
    }

    func open(_ sealed: Data, for webhook: String) throws -> String {
        let key = try ServiceKey.at(path)
        do {
            let box = try AES.GCM.SealedBox(combined: sealed)
            return String(
                decoding: try AES.GCM.open(box, using: key, authenticating: Data(webhook.utf8)), as: UTF8.self)
        } catch {
            throw ServiceKeyError(
                path: path,
                problem: "is not the key that the webhook's secret was sealed with: give the webhook its secret again")
        }
    }

    /// As MLflow's receivers check it: the secret is used as it stands.
    static func signature(of body: String, delivery: String, at seconds: Int64, with secret: String) -> String {
        let signed = Data("\(delivery).\(seconds).\(body)".utf8)
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: Data(secret.utf8)))
        return "v1," + Data(code).base64EncodedString()
    }
}
