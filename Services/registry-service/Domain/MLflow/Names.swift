import Foundation

/// What names MLflow's clients may give.
enum Names {
    static func checkModel(_ name: String) throws(MLflowError) {
        guard !name.isEmpty else { throw .invalid("Registered model name cannot be empty.") }
        guard !name.contains("/"), !name.contains(":"), !name.utf8.contains(0) else {
            throw .invalid("Invalid model name '\(name)'. Names cannot contain '/' or ':'.")
        }
        // It is part of an event's subject and of paths.
        guard name.utf8.count <= 200, name != ".", name != ".." else {
            throw .invalid("Invalid model name '\(name.prefix(40))…': it may have 200 bytes.")
        }
    }

    static func checkAlias(_ alias: String) throws(MLflowError) {
        guard !alias.isEmpty, alias.unicodeScalars.count <= 255,
            alias.unicodeScalars.allSatisfy({ isWord($0) || $0 == "-" })
        else {
            throw .invalid(
                "Invalid alias name: '\(alias.prefix(255))'. Names have 1 to 255 letters, digits, '_' and '-'.")
        }
        let lower = alias.lowercased()
        guard lower != "latest", !(lower.hasPrefix("v") && lower.count > 1 && lower.dropFirst().allSatisfy(\.isNumber))
        else { throw .invalid("Version alias name '\(alias)' is reserved.") }
    }

    static func checkExperiment(_ name: String) throws(MLflowError) {
        guard !name.isEmpty else { throw .invalid("Invalid experiment name: ''") }
        guard name.unicodeScalars.count <= Limits.experimentName else {
            throw .invalid(
                "'name' exceeds the maximum length of \(Limits.experimentName) characters. Got '\(name.prefix(20))…'")
        }
    }

    /// Of a metric, parameter or tag.
    static func checkKey(_ key: String, _ what: String) throws(MLflowError) {
        guard !key.isEmpty, key.unicodeScalars.count <= Limits.key else {
            throw .invalid("Invalid \(what) name '\(key.prefix(40))': it has 1 to \(Limits.key) characters.")
        }
        guard key.unicodeScalars.allSatisfy({ isWord($0) || "/.- :".unicodeScalars.contains($0) }) else {
            throw .invalid(
                "Invalid \(what) name: '\(key)'. Names may only contain alphanumerics, underscores (_), dashes (-), "
                    + "periods (.), spaces ( ), colon(:) and slashes (/).")
        }
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0 == ".." || $0 == "." || $0.isEmpty }) else {
            throw .invalid(
                "Invalid \(what) name: '\(key)'. A name may become a file's, so it holds no '..', '.' or "
                    + "empty part."
            )
        }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
}

/// MLflow's own limits.
enum Limits {
    static let experimentName = 500
    static let key = 250
    static let parameterValue = 6_000
    static let tagValue = 8_000
    static let modelTagValue = 100_000
    static let metricsInBatch = 1_000
    static let parametersInBatch = 100
    static let tagsInBatch = 100
    static let entitiesInBatch = 1_000
    /// Bytes of a batch's JSON.
    static let batch = 1_000_000
    /// Bytes of any other JSON; a logged model's description is the longest.
    static let json = 4 << 20
    /// In which one search looks: a statement of SQLite takes 32,766 arguments, and a filter with its data sets up to 12,000.
    static let mostExperiments = 20_000
    static let mostRuns = 50_000
    static let mostModels = 1_000
    static let mostVersions = 200_000
    static let mostMetrics = 25_000
    static let description = 5_000

    static func check(_ value: String, _ most: Int, _ what: String) throws(MLflowError) {
        guard value.unicodeScalars.count <= most else {
            throw .invalid(
                "\(what) exceeds the maximum length of \(most) characters: it has \(value.unicodeScalars.count)")
        }
    }
}
