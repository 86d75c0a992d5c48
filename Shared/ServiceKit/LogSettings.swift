import Foundation
import Store

/// How much of its logs a service keeps, from the environment; refuses nonsense at start.
package struct LogSettings: Sendable, Hashable {
    package var retention: Retention

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        let standard = Retention()
        retention = Retention(
            age: try Self.number("MARTLET_LOG_DAYS", in: environment).map { .seconds($0 * 24 * 3600) } ?? standard.age,
            events: try Self.number("MARTLET_LOG_EVENTS", in: environment).map(Int64.init) ?? standard.events,
            bytes: try Self.number("MARTLET_LOG_MEGABYTES", in: environment).map { Int64($0 * 1_048_576) }
                ?? standard.bytes)
    }

    private static func number(_ name: String, in environment: [String: String]) throws -> Double? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        guard let number = Double(text), (0...1_000_000_000).contains(number) else {
            throw LogSettingsError(description: "\(name): '\(text)' is no number from 0 to 1000000000")
        }
        return number
    }
}

package struct LogSettingsError: Error, CustomStringConvertible, Hashable {
    package let description: String
}
