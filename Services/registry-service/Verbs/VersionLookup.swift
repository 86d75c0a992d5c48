import GRDB
import Messages
import Store

/// Finds the one version that a step or a person means.
enum VersionLookup {
    /// The newest match.
    /// - Throws: `Refusal` when nothing matches: a change of an unknown version is an error (X9).
    static func one(_ selector: VersionSelector, of model: String, in db: Database) throws -> Version {
        let number = try number(selector, of: model, in: db)
        guard let version = try VersionQueries.version(number, of: model, db) else {
            throw Refusal(try nothing(selector, of: model, in: db))
        }
        return version
    }

    /// The same, where its facts do not matter.
    static func number(_ selector: VersionSelector, of model: String, in db: Database) throws -> Int {
        let mirror = try KnowledgeQueries.mirror(of: model, db)
        guard let number = try VersionQueries.matches(selector, of: model, mirror: mirror, db).first else {
            throw Refusal(try nothing(selector, of: model, in: db))
        }
        return number
    }

    static func nothing(_ selector: VersionSelector, of model: String, in db: Database) throws -> String {
        guard try VersionQueries.exists(model, db) else { return "model '\(model)' has no versions" }
        return switch selector {
        case .number(let number): "model '\(model)' has no version \(number)"
        case .latest: "model '\(model)' has no versions"
        case .stage(let stage): "no version of '\(model)' is in stage '\(stage)'"
        case .tag(let key, let value): "no version of '\(model)' has the tag \(key)=\(value)"
        case .current: "no endpoint serves a version of '\(model)'"
        }
    }
}
