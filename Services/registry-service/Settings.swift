import Foundation
import ServiceKit

/// What an operator can set at registry-service; read once, at the start.
struct Settings: Sendable {
    /// `MARTLET_REGISTRY_HOSTS`: names beside the loopback's that its door answers to, with commas between.
    var hosts: HostRule
    /// `MARTLET_REGISTRY_ARTIFACT_LIMIT_MB`: the largest file that a client may store; 65536.
    var mostArtifactBytes: Int64
    /// `MARTLET_REGISTRY_WEBHOOKS`: where MLflow's webhooks may go; `public`.
    var webhooks: WebhookReach

    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(SettingsError) {
        let names = environment["MARTLET_REGISTRY_HOSTS"] ?? ""
        hosts = HostRule(
            further: names.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty })
        let key = "MARTLET_REGISTRY_ARTIFACT_LIMIT_MB"
        let text = environment[key].flatMap { $0.isEmpty ? nil : $0 } ?? "65536"
        guard let megabytes = Int64(text), (1...16_777_216).contains(megabytes) else {
            throw SettingsError(key: key, problem: "'\(text)' is not a number from 1 to 16777216")
        }
        mostArtifactBytes = megabytes << 20
        let reach = environment["MARTLET_REGISTRY_WEBHOOKS"].flatMap { $0.isEmpty ? nil : $0 } ?? "public"
        guard let reach = WebhookReach(rawValue: reach) else {
            let known = WebhookReach.allCases.map(\.rawValue).joined(separator: " or ")
            throw SettingsError(key: "MARTLET_REGISTRY_WEBHOOKS", problem: "'\(reach)' is not \(known)")
        }
        webhooks = reach
    }
}

struct SettingsError: Error, Hashable, CustomStringConvertible {
    var key: String
    var problem: String

    var description: String { "\(key): \(problem)" }
}
