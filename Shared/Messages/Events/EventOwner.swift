/// Which log may write which type: nobody but registry-service says that a model was promoted (bus.md 8).
public enum EventOwner {
    private static let prefix = "dev.martlet."
    /// `nil` inside: any service of ours.
    private static let owners: [String: Source?] = Dictionary(
        allEventBodies.map { ($0.eventType, $0.source) }, uniquingKeysWith: { first, _ in first })
    private static let services = Set(Source.all).subtracting([.ingest])

    /// Whether this version knows the type; everybody else's count as known, for nothing here depends on them.
    public static func knows(_ type: String) -> Bool { !type.hasPrefix(prefix) || owners.keys.contains(type) }

    /// A type of ours that is not known yet is believed of our services: their next version may say it. Everybody else
    /// may say what does not begin like ours.
    public static func may(_ source: String, write type: String) -> Bool {
        guard type.hasPrefix(prefix) else { return !type.lowercased().hasPrefix(prefix) }
        if case .some(.some(let owner)) = owners[type] { return owner.name == source }
        return services.contains { $0.name == source }
    }
}
