import Foundation
import Messages
import ServiceKit

/// What an operator can set at the notifier, beside what every service has (docs/operating.md).
struct Settings: Sendable {
    /// For links in messages, as trigger-service writes them into `run.url`; `nil`: where the console here listens.
    let publicURL: String?

    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        guard let text = environment["MARTLET_URL"], !text.isEmpty else {
            publicURL = nil
            return
        }
        guard let url = URL(string: text), url.scheme == "http" || url.scheme == "https", url.host != nil else {
            throw SettingsProblem(key: "MARTLET_URL", problem: "'\(text)' is not an http address")
        }
        publicURL = text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    func consoleURL(_ paths: DataPaths) -> String {
        if let publicURL { return publicURL }
        let address = ServiceAddress.read(from: paths.address(.console))
        return "http://\(address?.reachable ?? "127.0.0.1"):\(address?.port ?? 8080)"
    }
}

/// A setting that makes no sense; found at start.
struct SettingsProblem: Error, CustomStringConvertible, Hashable {
    var key: String
    var problem: String

    var description: String { "settings: \(key): \(problem)" }
}
