import Foundation

/// Why a live message was dropped; the name under which it is counted.
package enum LiveDrop: String, Error, Sendable, CaseIterable {
    case frames = "frame_count"
    case size
    case topic
    case header
    case mismatch = "topic_header_mismatch"
    case body
}

/// The checks that every live message passes in the bus and again in each subscriber.
package enum LiveCheck {
    /// - Returns: what the first two frames say; the body is looked at by its size and first byte only.
    package static func check(
        topic: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer,
        limit: Int = BusLimits.messageBytes
    ) throws(LiveDrop) -> (LiveTopic, LiveHeader) {
        guard topic.count + header.count + body.count <= limit else { throw .size }
        guard let parsed = LiveTopic(parsing: topic) else { throw .topic }
        guard let head = LiveHeader(parsing: header) else { throw .header }
        guard parsed.kind == head.kind else { throw .mismatch }
        switch head.kind {
        case .event, .telemetry: guard body.first == 0x7b else { throw .body }
        case .heartbeat: guard body.isEmpty else { throw .body }
        }
        return (parsed, head)
    }

    /// An outsider's two frames: telemetry without a header.
    package static func checkOutsider(
        topic: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
    ) throws(LiveDrop) -> LiveTopic {
        guard topic.count + body.count + LiveHeader.telemetry.bytes.count <= BusLimits.messageBytes else { throw .size }
        guard let parsed = LiveTopic(parsing: topic) else { throw .topic }
        guard parsed.kind == .telemetry else { throw .frames }
        guard body.first == 0x7b else { throw .body }
        return parsed
    }
}
