/// What a search asks for: conditions that all hold.
struct Filter: Hashable, Sendable {
    var conditions: [Condition] = []
    /// Metrics count that were measured on one of these; empty: on any, or on none.
    var datasets: [MetricDataset] = []

    struct Condition: Hashable, Sendable {
        var field: Field
        var test: Test
    }

    /// What is looked at.
    enum Field: Hashable, Sendable {
        /// By its one name, whichever the client used.
        case attribute(String)
        case metric(String)
        case parameter(String)
        case tag(String)
        /// Of a run's inputs: `name`, `digest` or `context`.
        case dataset(String)
    }

    enum Test: Hashable, Sendable {
        case compares(Comparison, Literal)
        case isIn([String])
        case isNotIn([String])
        case isAbsent
        case isPresent
    }

    enum Comparison: String, Hashable, Sendable {
        case equal = "="
        case unequal = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        /// `%` stands for anything, `_` for one character.
        case like = "LIKE"
        /// The same, whatever the case.
        case ilike = "ILIKE"

        var isOrder: Bool {
            switch self {
            case .less, .lessOrEqual, .greater, .greaterOrEqual: true
            case .equal, .unequal, .like, .ilike: false
            }
        }

        var isPattern: Bool { self == .like || self == .ilike }
    }

    enum Literal: Hashable, Sendable {
        case text(String)
        case number(Double)
    }
}

/// One entry of `order_by`.
struct Ordering: Hashable, Sendable {
    var field: Filter.Field
    var ascending: Bool
    /// Of a logged model's metric.
    var dataset = MetricDataset()
}

/// On which data set a logged model's metric was measured, as far as it is said.
struct MetricDataset: Hashable, Sendable {
    var name: String?
    var digest: String?
}

/// What may be asked of one kind of thing.
struct SearchScope: Sendable {
    enum Kind: Sendable, Hashable {
        case text
        case number
    }

    /// What one attribute is, by each of the names that clients use for it.
    var attributes: [String: (name: String, kind: Kind)]
    /// `metrics`, `params`, `tags`, `datasets`.
    var entities: Set<String>

    init(_ attributes: [(name: String, kind: Kind, also: [String])], entities: Set<String> = ["tag"]) {
        self.attributes = [:]
        for (name, kind, also) in attributes {
            for alias in also + [name] { self.attributes[alias] = (name, kind) }
        }
        self.entities = entities
    }

    static let experiments = SearchScope([
        ("name", .text, []), ("experiment_id", .text, []), ("creation_time", .number, []),
        ("last_update_time", .number, []),
    ])

    static let runs = SearchScope(
        [
            ("run_name", .text, ["run name", "Run name", "Run Name"]), ("status", .text, []),
            ("artifact_uri", .text, []), ("user_id", .text, []), ("run_id", .text, []),
            ("start_time", .number, ["created", "Created"]), ("end_time", .number, []),
        ], entities: ["tag", "metric", "parameter", "dataset"])

    static let models = SearchScope([
        ("name", .text, []), ("creation_timestamp", .number, []),
        ("last_updated_timestamp", .number, ["timestamp"]),
    ])

    static let versions = SearchScope([
        ("name", .text, []), ("version_number", .number, ["version"]), ("run_id", .text, []),
        ("source_path", .text, ["source"]), ("current_stage", .text, ["stage"]),
        ("creation_timestamp", .number, []), ("last_updated_timestamp", .number, ["timestamp"]),
    ])

    static let loggedModels = SearchScope(
        [
            ("name", .text, []), ("model_id", .text, []), ("model_type", .text, []), ("status", .text, []),
            ("source_run_id", .text, []), ("creation_timestamp", .number, ["creation_time", "creation_timestamp_ms"]),
            ("last_updated_timestamp", .number, ["last_updated_timestamp_ms", "last_updated_time"]),
        ], entities: ["tag", "metric", "parameter"])
}
