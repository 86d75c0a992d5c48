import Foundation
import Messages

/// The `with` of `deploy/model`.
struct DeployRequest: Sendable, Hashable {
    var target: String
    var endpoint: String
    var model: String
    var version: Int
    var environment: Digest?
    var healthSeconds: Double?
    /// How long requests under way to the version that is replaced may still take.
    var drainSeconds: Double?

    struct Problem: Error, Hashable, CustomStringConvertible { let description: String }

    init(_ with: JSONValue, run: RunReference) throws(Problem) {
        guard let target = with["target"]?.string, !target.isEmpty else {
            throw Problem(description: "with.target is missing")
        }
        self.target = target
        endpoint = try EndpointName.checked(with["name"]?.scalarText, target: target)
        guard let model = with["model"]?.string ?? run.model else {
            throw Problem(description: "with.model is missing, and the project declares no model")
        }
        self.model = model
        // YAML may hand a version in as text: `1.10` would otherwise have become the number 1.1.
        guard let version = with["version"].flatMap({ $0.int ?? Int($0.string ?? "") }) else {
            let given = with["version"]?.scalarText ?? "missing"
            throw Problem(
                description: "with.version is \(given); it is a version's number, as registry/resolve gives it")
        }
        self.version = version
        if let text = with["environment"]?.string ?? with["environment"]?["environment"]?.string {
            guard let digest = Digest(text) else {
                throw Problem(description: "with.environment '\(text)' is not a digest, as env/ensure gives it")
            }
            environment = digest
        }
        healthSeconds = try Self.seconds("timeout", with)
        drainSeconds = try Self.seconds("drain", with)
    }

    /// `nil` where the step does not say.
    private static func seconds(_ key: String, _ with: JSONValue) throws(Problem) -> Double? {
        guard let value = with[key], value != .null else { return nil }
        guard let seconds = Interval.seconds(value) else {
            throw Problem(description: "with.\(key) is not a time of at most 30 days; write '2m'")
        }
        return seconds
    }
}

/// An endpoint is called like its target unless the step names it; the name is part of a URL.
enum EndpointName {
    static func checked(_ name: String?, target: String) throws(DeployRequest.Problem) -> String {
        let chosen = name.flatMap { $0.isEmpty ? nil : $0 } ?? target
        let plain = chosen.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        guard plain, chosen.utf8.count <= 63, chosen.utf8.first != 46 else {
            throw DeployRequest.Problem(
                description: "'\(chosen)' cannot name an endpoint; take up to 63 letters, digits, '-', '_' and '.'")
        }
        return chosen
    }
}
