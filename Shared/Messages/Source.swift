import Foundation

/// The log that sequenced an event: one for each service, and `ingest` for what outsiders publish (bus.md 3).
public struct Source: Sendable, Hashable, Codable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let name: String

    public init(stringLiteral value: String) { name = value }

    /// `nil` unless the name is `[a-z0-9.-]{1,63}`.
    public init?(checking name: String) {
        guard (1...63).contains(name.utf8.count),
            name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 46 || $0 == 45 })
        else { return nil }
        self.name = name
    }

    public var description: String { name }

    public init(from decoder: any Decoder) throws {
        name = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    public static let triggerService: Source = "trigger-service"
    public static let trainerProxy: Source = "trainer-proxy"
    public static let evaluator: Source = "evaluator"
    public static let registryService: Source = "registry-service"
    public static let deployer: Source = "deployer"
    public static let notifier: Source = "notifier"
    public static let eventBus: Source = "event-bus"
    public static let console: Source = "console"
    /// What outsiders publish; owned by trigger-service.
    public static let ingest: Source = "ingest"

    /// Every log of the suite, in the order of the architecture page.
    public static let all: [Source] = [
        .triggerService, .trainerProxy, .evaluator, .registryService, .deployer, .notifier, .console, .ingest,
    ]
}
