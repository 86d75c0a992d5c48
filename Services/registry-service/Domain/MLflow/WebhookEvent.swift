import Messages

/// What a webhook of an MLflow client can be told of, as MLflow names it.
enum WebhookEvent: String, CaseIterable, Sendable, Codable {
    case versionCreated = "model_version.created"
    case aliasCreated = "model_version_alias.created"
    case aliasDeleted = "model_version_alias.deleted"
    case tagDeleted = "model_version_tag.deleted"
    case tagSet = "model_version_tag.set"
    case modelCreated = "registered_model.created"

    private var parts: [String] { rawValue.split(separator: ".").map(String.init) }
    var entity: String { parts[0] }
    var action: String { parts[1] }

    /// As the API says it.
    var json: JSONValue { ["entity": .string(entity.uppercased()), "action": .string(action.uppercased())] }

    init(_ value: JSONValue) throws(MLflowError) {
        guard let entity = value["entity"]?.string, let action = value["action"]?.string else {
            throw .invalid("Each event needs an entity and an action, such as MODEL_VERSION and CREATED.")
        }
        guard let event = WebhookEvent(rawValue: "\(entity).\(action)".lowercased()) else {
            let known = Self.allCases.map { "\($0.entity.uppercased()).\($0.action.uppercased())" }
            throw .invalid(
                "This server tells of no '\(entity).\(action)'; it tells of \(known.joined(separator: ", ")).")
        }
        self = event
    }

    /// What MLflow's own server sends when a webhook is tried out.
    var example: JSONValue {
        switch self {
        case .modelCreated:
            [
                "name": "example_model", "tags": ["example_key": "example_value"],
                "description": "An example registered model",
            ]
        case .versionCreated:
            [
                "name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678",
                "tags": ["example_key": "example_value"], "description": "An example model version",
            ]
        case .tagSet: ["name": "example_model", "version": "1", "key": "example_key", "value": "example_value"]
        case .tagDeleted: ["name": "example_model", "version": "1", "key": "example_key"]
        case .aliasCreated: ["name": "example_model", "alias": "example_alias", "version": "1"]
        case .aliasDeleted: ["name": "example_model", "alias": "example_alias"]
        }
    }
}
