import Foundation

/// What an operator can set of the console, through the environment.
struct Settings: Sendable {
    /// Names beside the loopback's that the API answers under: `MARTLET_CONSOLE_HOSTS`, separated by commas.
    var hosts: [String] = []
    /// How many events are kept for `events`, `why` and `why-not`: `MARTLET_CONSOLE_EVENTS`.
    var keptEvents = 1_000_000
    /// Where the services' doors are when they share no data folder: `MARTLET_DOORS`, as `http://*:8000`.
    var doors: DoorPattern?
    /// Where spans go: `MARTLET_OTLP_URL`; `nil` for nowhere.
    var otlp: String?

    init() {}

    init(environment: [String: String]) throws {
        if let text = environment["MARTLET_CONSOLE_HOSTS"], !text.isEmpty {
            hosts = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        if let text = environment["MARTLET_CONSOLE_EVENTS"], !text.isEmpty {
            guard let number = Int(text), number >= 1000 else {
                throw SettingsError(
                    key: "MARTLET_CONSOLE_EVENTS", problem: "'\(text)' is not a number of at least 1000")
            }
            keptEvents = number
        }
        if let text = environment["MARTLET_DOORS"], !text.isEmpty {
            guard let pattern = DoorPattern(text) else {
                throw SettingsError(
                    key: "MARTLET_DOORS", problem: "'\(text)' is not an address with * for the name, as http://*:8000")
            }
            doors = pattern
        }
        if let text = environment["MARTLET_OTLP_URL"], !text.isEmpty { otlp = try Self.collector(text) }
    }
}

extension Settings {
    /// The path of traces is added where only the collector is named, as OTLP's own settings do.
    private static func collector(_ text: String) throws -> String {
        let key = "MARTLET_OTLP_URL"
        guard let url = URLComponents(string: text), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false
        else { throw SettingsError(key: key, problem: "'\(text)' is no http or https address") }
        guard url.user == nil, url.password == nil else {
            throw SettingsError(key: key, problem: "what authorizes belongs into the secret OTLP_AUTHORIZATION")
        }
        let base = text.hasSuffix("/") ? String(text.dropLast()) : text
        return url.path.count > 1 ? base : base + "/v1/traces"
    }
}

/// A setting that cannot be used.
struct SettingsError: Error, CustomStringConvertible {
    var key: String
    var problem: String

    var description: String { "settings: \(key): \(problem)" }
}
