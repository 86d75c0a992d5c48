import Foundation

/// Telemetry that waits to be sent: small, and the oldest goes first when there is more. Events never wait for it.
struct TelemetryQueue: Sendable {
    private var messages: [[Data]] = []
    private var bytes = 0

    /// - Returns: how many messages had to go to make room.
    mutating func add(_ message: [Data]) -> Int {
        messages.append(message)
        bytes += Self.size(message)
        var dropped = 0
        while messages.count - dropped > BusLimits.telemetryMessages || bytes > BusLimits.telemetryBytes {
            bytes -= Self.size(messages[dropped])
            dropped += 1
        }
        messages.removeFirst(dropped)
        return dropped
    }

    mutating func takeAll() -> [[Data]] {
        defer { (messages, bytes) = ([], 0) }
        return messages
    }

    private static func size(_ message: [Data]) -> Int { message.reduce(0) { $0 + $1.count } }
}

/// What somebody told in passing. Nobody kept it, and others may be missing.
package struct TelemetryMessage: Sendable, Hashable {
    /// `t/<client>/<type>`.
    package let topic: String
    package let client: String
    package let type: String
    /// A JSON object, unless an outsider's only begins like one.
    package let body: Data
}

extension TelemetryMessage {
    /// `nil`: the topic is none of telemetry.
    init?(topic: LiveTopic, body: Data) {
        guard case .telemetry(let client, let type) = topic else { return nil }
        self.init(topic: topic.text, client: client, type: type, body: body)
    }
}
