import Foundation
import Messages
import ServiceKit

/// What an operator can set at the notifier, beside what every service has (docs/operating.md).
struct Settings: Sendable {
    /// For links in messages, as trigger-service writes them into `run.url`; `nil`: where the console here listens.
    let publicURL: String?

    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        publicURL = try LinkSettings(environment: environment).publicURL
    }

    func consoleURL(_ paths: DataPaths) -> String {
        if let publicURL { return publicURL }
        let address = ServiceAddress.read(from: paths.address(.console))
        return "http://\(address?.reachable ?? "127.0.0.1"):\(address?.port ?? 8080)"
    }
}
