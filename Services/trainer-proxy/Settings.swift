import Foundation
import Messages

/// What an operator can set at trainer-proxy; read once, at the start.
struct Settings: Sendable {
    /// `MARTLET_TRAINER_SLOTS`: steps at once; two, or one for each core.
    var slots: Int
    /// `MARTLET_TRAINER_LOG_LIMIT_MB`: how much of a step's output is kept; 64.
    var logLimit: Int
    /// `MARTLET_TRAINER_GRACE_SECONDS`: between asking a process to end and making it; 10.
    var grace: Duration
    /// `MARTLET_TRAINER_KEEP_SECONDS`: how long a working copy stays after its run has ended; 600.
    var keepWorkingCopies: Duration
    /// `MARTLET_TRAINER_PYTHON`: the base of environments; `python3`.
    var python: String
    /// `MARTLET_TRAINER_BUILD_SECONDS`: an environment that takes longer is given up; 3600.
    var buildTimeout: Int
    /// `MARTLET_TRAINER_TRACKING_URI`: where training code finds the registry's MLflow door; by default that of this
    /// installation, `none`: it is not told.
    var trackingURI: String?
    /// What every step's process sees of this machine.
    var machine: [String: String]

    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(SettingsError) {
        func number(_ key: String, _ fallback: Int, _ allowed: ClosedRange<Int>) throws(SettingsError) -> Int {
            guard let text = environment[key], !text.isEmpty else { return fallback }
            guard let value = Int(text), allowed.contains(value) else {
                throw SettingsError(
                    key: key, problem: "'\(text)' is not a number from \(allowed.lowerBound) to \(allowed.upperBound)")
            }
            return value
        }
        slots = try number("MARTLET_TRAINER_SLOTS", max(2, ProcessInfo.processInfo.activeProcessorCount), 1...1_000)
        logLimit = try number("MARTLET_TRAINER_LOG_LIMIT_MB", 64, 1...10_000) << 20
        grace = .seconds(try number("MARTLET_TRAINER_GRACE_SECONDS", 10, 0...3_600))
        keepWorkingCopies = .seconds(try number("MARTLET_TRAINER_KEEP_SECONDS", 600, 0...31_536_000))
        buildTimeout = try number("MARTLET_TRAINER_BUILD_SECONDS", 3_600, 1...86_400)
        python = environment["MARTLET_TRAINER_PYTHON"] ?? "python3"
        trackingURI = environment["MARTLET_TRAINER_TRACKING_URI"].flatMap { $0.isEmpty ? nil : $0 }
        if let uri = trackingURI, uri != "none", !uri.hasPrefix("http://"), !uri.hasPrefix("https://") {
            throw SettingsError(
                key: "MARTLET_TRAINER_TRACKING_URI", problem: "'\(uri)' is no http address, and not 'none'")
        }
        machine = StepEnvironment.machine(environment)
    }
}

struct SettingsError: Error, Hashable, CustomStringConvertible {
    var key: String
    var problem: String

    var description: String { "\(key): \(problem)" }
}
