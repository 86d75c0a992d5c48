import Foundation
import Messages

/// The first frame of a live message: `e/<source>/<type>`, `h/<source>` or `t/<client>/<type>` (bus.md 3).
package enum LiveTopic: Sendable, Hashable {
    case event(source: String, type: String)
    case heartbeat(source: String)
    case telemetry(client: String, type: String)

    /// Strict: printable ASCII, a source of `[a-z0-9.-]{1,63}`, nothing empty; `nil` for anything else.
    package init?(parsing bytes: UnsafeRawBufferPointer) {
        guard (3...BusLimits.topicBytes).contains(bytes.count), bytes[1] == 0x2f,
            bytes.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        let rest = bytes[2...]
        let slash = rest.firstIndex(of: 0x2f)
        let name = String(decoding: rest[..<(slash ?? rest.endIndex)], as: UTF8.self)
        guard Source(checking: name) != nil else { return nil }
        let type = slash.map { String(decoding: rest[($0 + 1)...], as: UTF8.self) }
        switch (bytes[0], type) {
        case (0x65, let type?) where !type.isEmpty: self = .event(source: name, type: type)
        case (0x68, nil): self = .heartbeat(source: name)
        case (0x74, let type?) where !type.isEmpty: self = .telemetry(client: name, type: type)
        default: return nil
        }
    }

    package init?(_ text: String) {
        let parsed = Data(text.utf8).withUnsafeBytes { LiveTopic(parsing: $0) }
        guard let parsed else { return nil }
        self = parsed
    }

    package var text: String {
        switch self {
        case .event(let source, let type): "e/\(source)/\(type)"
        case .heartbeat(let source): "h/\(source)"
        case .telemetry(let client, let type): "t/\(client)/\(type)"
        }
    }

    /// The log, or the client that sent telemetry.
    package var name: String {
        switch self {
        case .event(let source, _), .heartbeat(let source): source
        case .telemetry(let client, _): client
        }
    }

    package var kind: LiveHeader.Kind {
        switch self {
        case .event: .event
        case .heartbeat: .heartbeat
        case .telemetry: .telemetry
        }
    }
}
