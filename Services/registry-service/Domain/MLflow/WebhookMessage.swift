import Foundation
import Messages

/// One thing that happened to a model, as MLflow's webhooks tell it.
struct WebhookMessage: Hashable, Sendable {
    var event: WebhookEvent
    var data: JSONValue

    init(_ event: WebhookEvent, _ data: JSONValue) {
        self.event = event
        self.data = data
    }

    /// What an event of the registry means to them; nothing for most.
    ///
    /// - Parameter name: what MLflow's clients call the model.
    static func told(by body: some EventBody, name: () throws -> String) rethrows -> [WebhookMessage] {
        func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
        switch body {
        case let created as ModelCreated:
            return [
                WebhookMessage(
                    .modelCreated,
                    [
                        "name": .string(try name()), "tags": tags(created.tags),
                        "description": text(created.description),
                    ])
            ]
        case let registered as ModelRegistered:
            let source = registered.source ?? ArtifactPath.version(registered.model, registered.version).uri
            return [
                WebhookMessage(
                    .versionCreated,
                    [
                        "name": .string(try name()), "version": number(registered.version), "source": .string(source),
                        "run_id": text(registered.mlflowRun), "tags": tags(registered.tags),
                        "description": text(registered.description),
                    ])
            ]
        case let tagged as ModelTagged:
            let (name, version) = (JSONValue.string(try name()), number(tagged.version))
            return tagged.set.sorted { $0.key < $1.key }.map { key, value in
                WebhookMessage(
                    .tagSet, ["name": name, "version": version, "key": .string(key), "value": .string(value)])
            }
                + tagged.removed.map { key in
                    WebhookMessage(.tagDeleted, ["name": name, "version": version, "key": .string(key)])
                }
        case let changed as ModelAliasChanged:
            let (name, alias) = (JSONValue.string(try name()), JSONValue.string(changed.alias))
            return [
                changed.to.map {
                    WebhookMessage(.aliasCreated, ["name": name, "alias": alias, "version": number($0)])
                } ?? WebhookMessage(.aliasDeleted, ["name": name, "alias": alias])
            ]
        default: return []
        }
    }

    private static func number(_ version: Int) -> JSONValue { .string(String(version)) }
    private static func tags(_ tags: [String: String]) -> JSONValue { .object(tags.mapValues(JSONValue.string)) }

    /// The body that is signed and sent: the same bytes at each attempt.
    func body(at time: Timestamp) throws -> String {
        let whole: JSONValue = [
            "entity": .string(event.entity), "action": .string(event.action),
            // As Python's clients write it.
            "timestamp": .string(time.text.replacingOccurrences(of: "Z", with: "+00:00")), "data": data,
        ]
        return String(decoding: try Wire.encode(whole), as: UTF8.self)
    }
}
