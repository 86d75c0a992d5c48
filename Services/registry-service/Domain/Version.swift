import Messages

/// A registered version as it stands now.
struct Version: Hashable, Sendable {
    var facts: ModelRegistered
    var registered: Timestamp
    var stage: String?
    /// As people set them; the stage's mirror is not among them.
    var ownTags: [String: String]

    var model: String { facts.model }
    var number: Int { facts.version }

    /// Its tags with the one that mirrors its stage.
    func tags(mirroring tag: String?) -> [String: String] {
        guard let tag, let stage else { return ownTags }
        return ownTags.merging([tag: stage]) { _, mirrored in mirrored }
    }

    /// The content of `model.json` (S2-19), of which pipelines read `name` and `version`.
    var modelFile: JSONValue {
        let framework = ownTags["framework"] ?? facts.params["framework"] ?? "Custom"
        let frameworkVersion = ownTags["framework_version"] ?? facts.params["framework_version"]
        return [
            "createdTime": .string(registered.text),
            "framework": .string(framework),
            "frameworkVersion": frameworkVersion.map(JSONValue.string) ?? .null,
            "id": .string("\(model):\(number)"),
            "name": .string(model),
            "version": .int(number),
        ]
    }
}
