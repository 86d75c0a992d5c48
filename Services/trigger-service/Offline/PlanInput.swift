import Foundation
import Messages

/// What a file of events holds: our own, CloudEvents and CDEvents, or what a forge delivered.
struct PlanInput {
    let events: [EventDraft]
    /// An answer already: nothing in it can start anything.
    let idle: JSONValue?

    /// - Parameters:
    ///   - headers: `Name: value`, as they came with it.
    ///   - kind: what the forge's own header would say.
    init(_ bytes: Data, forge name: String?, kind: String?, headers lines: [String]) throws {
        let headers = try lines.map(Self.header)
        let told = Forge.detect { name in headers.last { $0.name == name.lowercased() }?.value }
        let named = try name.map { name throws -> Forge in
            guard let forge = Forge(rawValue: name) else {
                throw Refusal("'\(name)' is no forge; they are \(Forge.list)")
            }
            return forge
        }
        if let forge = named ?? told {
            let delivery = try ForgeDelivery(bytes, forge, headers: headers, kind: kind)
            (events, idle) = (delivery.drafts, delivery.idle)
            return
        }
        if kind != nil { throw Refusal("--kind is about a forge's payload: add --forge") }
        idle = nil
        events =
            headers.isEmpty
            ? try EventDraft.read(bytes)
            : try CloudEventsMessage(bytes, headers: headers).events.flatMap(EventDraft.read)
    }

    private static func header(_ line: String) throws -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
            throw Refusal("'\(line.shortened(to: 100))' is no header; they are written 'Name: value'")
        }
        return (
            line[..<colon].trimmingCharacters(in: .whitespaces).lowercased(),
            line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        )
    }
}
