import Foundation

/// The body of one event type. The Swift type is the schema: `docs/events/` is generated from it.
///
/// Stored properties are what travels. A released type only gains optional fields; anything else is a new major version.
public protocol EventBody: Codable, Sendable, Hashable {
    /// `<subject>.<verb-in-the-past>`, for example `run.finished`.
    static var name: String { get }
    static var majorVersion: Int { get }
    /// The only log that may write this type; `nil` where any service may.
    static var source: Source? { get }
    /// One sentence for the generated reference.
    static var summary: String { get }
}

extension EventBody {
    public static var majorVersion: Int { 1 }
    public static var eventType: String { EventTypeName.prefix + name + EventTypeName.version(majorVersion) }
    /// A name and no place: nothing fetches it, the schemas are in `docs/events/`. It is in events that are chained, and
    /// therefore stays what it is.
    public static var schemaURI: String { "https://martlet.dev/events/\(name).v\(majorVersion).json" }
}

/// Splits `dev.martlet.run.finished.v1` into `run.finished`; other types are returned as they are.
public func shortEventName(_ type: String) -> String {
    guard type.hasPrefix("dev.martlet."), let dot = type.lastIndex(of: "."), type[dot...].hasPrefix(".v") else {
        return type
    }
    return String(type[type.index(type.startIndex, offsetBy: "dev.martlet.".count)..<dot])
}
