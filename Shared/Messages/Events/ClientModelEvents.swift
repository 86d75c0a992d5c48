/// A model was made before it has any version.
public struct ModelCreated: EventBody {
    public static let name = "model.created"
    public static let source: Source? = .registryService
    public static let summary = "A model was made by an MLflow client, before it has any version."

    public var model: String
    public var description: String?
    public var tags: [String: String]

    public init(model: String, description: String? = nil, tags: [String: String] = [:]) {
        self.model = model
        self.description = description
        self.tags = tags
    }
}

/// The description or the tags of a model changed.
public struct ModelUpdated: EventBody {
    public static let name = "model.updated"
    public static let source: Source? = .registryService
    public static let summary = "The description or the tags of a model changed."

    public var model: String
    /// `nil`: as before.
    public var description: String?
    public var set: [String: String]
    public var removed: [String]

    public init(model: String, description: String? = nil, set: [String: String] = [:], removed: [String] = []) {
        self.model = model
        self.description = description
        self.set = set
        self.removed = removed
    }
}

/// MLflow's clients call a model otherwise from now on.
public struct ModelRenamed: EventBody {
    public static let name = "model.renamed"
    public static let source: Source? = .registryService
    public static let summary = "MLflow's clients call a model otherwise from now on; here its name stays."

    public var model: String
    public var from: String
    public var to: String

    public init(model: String, from: String, to: String) {
        self.model = model
        self.from = from
        self.to = to
    }
}

/// A model was deleted; its versions keep their numbers and their history.
public struct ModelDeleted: EventBody {
    public static let name = "model.deleted"
    public static let source: Source? = .registryService
    public static let summary = "A model was deleted; its versions keep their numbers and their history."

    public var model: String

    public init(model: String) { self.model = model }
}

/// The description of a version changed.
public struct ModelVersionUpdated: EventBody {
    public static let name = "model.version_updated"
    public static let source: Source? = .registryService
    public static let summary = "The description of a version changed."

    public var model: String
    public var version: Int
    public var description: String

    public init(model: String, version: Int, description: String) {
        self.model = model
        self.version = version
        self.description = description
    }
}

/// A version was deleted; it keeps its number and its history.
public struct ModelVersionDeleted: EventBody {
    public static let name = "model.version_deleted"
    public static let source: Source? = .registryService
    public static let summary = "A version was deleted; it keeps its number and its history."

    public var model: String
    public var version: Int

    public init(model: String, version: Int) {
        self.model = model
        self.version = version
    }
}

/// An alias of a model means another version.
public struct ModelAliasChanged: EventBody {
    public static let name = "model.alias_changed"
    public static let source: Source? = .registryService
    public static let summary = "An alias of a model means another version, or none any more."

    public var model: String
    public var alias: String
    /// `nil`: it was new.
    public var from: Int?
    /// `nil`: it was taken away.
    public var to: Int?

    public init(model: String, alias: String, from: Int? = nil, to: Int? = nil) {
        self.model = model
        self.alias = alias
        self.from = from
        self.to = to
    }
}
