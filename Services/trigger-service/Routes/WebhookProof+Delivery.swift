import Foundation
import Messages

/// What a delivery says, once it is proven.
extension WebhookProof {
    /// JSON, also as a form's field `payload`, as GitHub may send it.
    func payload() throws(Refusal) -> Payload {
        var json = body
        if header("Content-Type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true {
            let fields = String(decoding: body, as: UTF8.self).split(separator: "&")
            guard let field = fields.first(where: { $0.hasPrefix("payload=") }),
                let text = field.dropFirst("payload=".count).replacingOccurrences(of: "+", with: " ")
                    .removingPercentEncoding
            else { throw Refusal("the form has no field 'payload'") }
            json = Data(text.utf8)
        }
        do {
            return Payload(try Wire.decode(JSONValue.self, from: json))
        } catch DecodingError.dataCorrupted(let context) {
            throw Refusal(context.debugDescription)
        } catch {
            throw Refusal("\(error)")
        }
    }

    func reading(_ payload: Payload) throws(Refusal) -> ForgeReading {
        switch forge {
        case .github: try GitHubPayload.read(kind("X-GitHub-Event"), payload)
        case .gitea: try GitHubPayload.read(kind("X-Gitea-Event", "X-Forgejo-Event"), payload)
        case .gitlab: try GitLabPayload.read(payload)
        case .azureDevOps: try AzureDevOpsPayload.read(payload)
        }
    }

    /// What the payload is, where it does not say so itself.
    private func kind(_ names: String...) throws(Refusal) -> String {
        for name in names {
            if let kind = header(name), !kind.isEmpty { return kind }
        }
        throw Refusal("the header \(names[0]) says what this is, and it is missing")
    }

    func delivery(_ payload: Payload, _ reading: ForgeReading) -> StoredDelivery {
        StoredDelivery(
            forge: forge, id: id(payload), repository: "", event: reading.event.shortened(to: 100),
            changes: reading.changes)
    }
}
