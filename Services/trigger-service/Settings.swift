import Foundation
import ServiceKit

/// What an operator can set; nonsense is refused at start.
struct Settings: Sendable, Hashable {
    /// Where people see runs: links in events begin with it.
    var url = "http://127.0.0.1:8080"
    /// Runs that go on at once; the others wait in line.
    var runsAtOnce = 64
    /// How long a step waits for a worker that serves its verb; `nil`: for ever.
    var workerWait: Duration? = .seconds(600)
    /// Names beside the loopback's that `/events` answers under; webhooks are proven by their secret.
    var hosts: [String] = []
    /// The longest body of a webhook.
    var webhookBytes = 2 << 20

    init() {}

    /// - Throws: `SettingsError`, `LinkSettingsError` by the variable's name.
    init(environment: [String: String]) throws {
        if let url = try LinkSettings(environment: environment).publicURL { self.url = url }
        if let text = environment["MARTLET_RUNS_AT_ONCE"] {
            guard let number = Int(text), (1...10_000).contains(number) else {
                throw SettingsError(key: "MARTLET_RUNS_AT_ONCE", problem: "'\(text)' is not a number from 1 to 10000")
            }
            runsAtOnce = number
        }
        if let text = environment["MARTLET_WORKER_WAIT_MINUTES"] {
            guard let number = Int(text), (0...100_000).contains(number) else {
                throw SettingsError(
                    key: "MARTLET_WORKER_WAIT_MINUTES", problem: "'\(text)' is not a number from 0 to 100000")
            }
            workerWait = number == 0 ? nil : .seconds(60 * number)
        }
        if let text = environment["MARTLET_TRIGGER_HOSTS"], !text.isEmpty {
            hosts = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        if let text = environment["MARTLET_WEBHOOK_BYTES"] {
            guard let number = Int(text), (1024...(64 << 20)).contains(number) else {
                throw SettingsError(
                    key: "MARTLET_WEBHOOK_BYTES", problem: "'\(text)' is not a number from 1024 to 67108864")
            }
            webhookBytes = number
        }
    }
}

struct SettingsError: Error, CustomStringConvertible, Hashable {
    let key: String
    let problem: String

    var description: String { "settings: \(key): \(problem)" }
}
