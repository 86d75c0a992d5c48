import Foundation

/// What an operator can set of the console, through the environment.
struct Settings: Sendable {
    /// Names beside the loopback's that the API answers under: `MARTLET_CONSOLE_HOSTS`, separated by commas.
    var hosts: [String] = []
    /// How many events are kept for `events`, `why` and `why-not`: `MARTLET_CONSOLE_EVENTS`.
    var keptEvents = 1_000_000

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
    }
}

/// A setting that cannot be used.
struct SettingsError: Error, CustomStringConvertible {
    var key: String
    var problem: String

    var description: String { "settings: \(key): \(problem)" }
}
