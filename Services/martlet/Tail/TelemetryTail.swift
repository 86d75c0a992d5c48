import Bus
import Foundation
import Messages

/// Prints what is told in passing.
struct TelemetryTail: Sendable {
    let bus: BusConnection
    let filter: EventFilter
    let json: Bool

    /// Until the task is canceled.
    func run() async {
        for await message in bus.hearTelemetry() where filter.matches(message.type) {
            for line in lines(message) { Terminal.say(line) }
        }
    }

    func lines(_ message: TelemetryMessage) -> [String] {
        let data = (try? Wire.decode(JSONValue.self, from: message.body)) ?? .string(message.text)
        if json {
            let line: JSONValue = [
                "telemetry": .string(message.topic), "client": .string(message.client), "type": .string(message.type),
                "data": data,
            ]
            return (try? Wire.encode(line)).map { [String(decoding: $0, as: UTF8.self)] } ?? []
        }
        let head = "~\(message.client)  \(message.type)"
        guard let log = message.as(StepLog.self) else { return ["\(head)  \(message.text)".printable] }
        let gap = log.omitted > 0 ? ["\(head)  \(log.step.item)  (\(log.omitted) lines are left out here)"] : []
        return (gap + log.lines.map { "\(head)  \(log.step.item)  \($0)" }).map(\.printable)
    }
}

extension TelemetryMessage {
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }

    /// `nil` when it is something else, or somebody else's word.
    func `as`<Body: TelemetryBody>(_ type: Body.Type) -> Body? {
        guard client == Body.source.name, self.type == Body.name else { return nil }
        return try? Wire.decode(Body.self, from: body)
    }
}
