import Foundation

/// What an operator can set at the deployer, by environment variable; refused at start when it makes no sense.
struct Settings: Sendable, Hashable {
    /// Where clients reach the gateway, without a slash at the end; `nil`: where it listens.
    var publicURL: String?
    /// How long a new process may take until its health check passes, where its target does not say.
    var healthSeconds: Double
    /// How long the requests of a replaced version may still take, where neither step nor target says.
    var drainSeconds: Double
    /// How long what serves may differ from what should before that is told.
    var driftSeconds: Double
    /// How long a request waits while the process that is to answer it is started again.
    var holdSeconds: Double
    /// Names beside the loopback's and `publicURL`'s that the gateway answers under.
    var hosts: [String]
    /// How long one request through the gateway may take.
    var requestSeconds: Double
    /// Bytes of one request's, and one answer's, body.
    var maxBody: Int

    /// The name by which clients know the gateway, where that is set.
    var publicHost: String? { publicURL.flatMap { URLComponents(string: $0)?.host } }

    struct Problem: Error, Hashable, CustomStringConvertible { let description: String }

    init(_ environment: [String: String] = [:]) throws(Problem) {
        func number(_ key: String, _ fallback: Double, _ range: ClosedRange<Double>) throws(Problem) -> Double {
            guard let text = environment[key] else { return fallback }
            guard let value = Double(text), range.contains(value) else {
                throw Problem(
                    description: "\(key) is '\(text)'; it is a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        healthSeconds = try number("MARTLET_DEPLOYER_HEALTH_SECONDS", 60, 0.1...3600)
        drainSeconds = try number("MARTLET_DEPLOYER_DRAIN_SECONDS", 30, 0...3600)
        driftSeconds = try number("MARTLET_DEPLOYER_DRIFT_SECONDS", 10, 0...3600)
        holdSeconds = try number("MARTLET_DEPLOYER_HOLD_SECONDS", 25, 0...600)
        hosts = (environment["MARTLET_DEPLOYER_HOSTS"] ?? "").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        requestSeconds = try number("MARTLET_DEPLOYER_REQUEST_SECONDS", 60, 0.1...3600)
        maxBody = Int(try number("MARTLET_DEPLOYER_MAX_BODY_BYTES", 10_485_760, 1...1_073_741_824))
        if let text = environment["MARTLET_DEPLOYER_URL"] {
            guard let url = URLComponents(string: text), ["http", "https"].contains(url.scheme), url.host != nil else {
                throw Problem(
                    description: "MARTLET_DEPLOYER_URL is '\(text)'; it is an address like https://ml.example.org")
            }
            publicURL = text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }
}
