import Foundation
import Messages

extension BusConnection {
    /// Told in passing: lossy, not sequenced, for whoever looks on right now. Never waits, and keeps no event waiting.
    ///
    /// What finds no room in the small queue of this connection, or in its own socket, is dropped and counted as
    /// `telemetry` in ``drops``.
    package func telemetry(_ client: Source, _ type: String, _ value: some Encodable) {
        guard let topic = LiveTopic("t/\(client)/\(type)"), let body = try? Wire.encode(value), let live else { return }
        let size = topic.text.utf8.count + LiveHeader.telemetry.bytes.count + body.count
        guard size <= BusLimits.messageBytes else { return drops.add(LiveLoop.telemetryDrop) }
        live.publishTelemetry([Data(topic.text.utf8), LiveHeader.telemetry.bytes, body])
    }

    /// What others tell in passing, from now on, with topics that begin like this. Ends when the stream is given up.
    ///
    /// Whoever reads slowly hears the newest. A connection that also follows logs should not listen here: both would
    /// share one socket.
    package func hearTelemetry(_ prefix: String = "t/") -> AsyncStream<TelemetryMessage> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: TelemetryMessage.self, bufferingPolicy: .bufferingNewest(BusLimits.telemetryMessages))
        guard let live else {
            continuation.finish()
            return stream
        }
        let id = live.hear(prefix) { continuation.yield($0) }
        continuation.onTermination = { _ in live.unhear(id) }
        return stream
    }
}
