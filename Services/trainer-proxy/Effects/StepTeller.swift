import Bus
import Foundation
import Messages
import ServiceKit
import Store

/// Tells in passing what a running step writes and that it still runs (docs/protocol.md, telemetry).
struct StepTeller: Sendable {
    static let progressPause = Duration.seconds(2)

    private let step: StepName
    private let started: Timestamp
    private let context: ServiceContext
    private var excerpt = LogExcerpt()
    private var logBytes = 0
    private var progressAt: Timestamp

    init(_ work: StepWork, started: Timestamp, context: ServiceContext) {
        step = StepName(work)
        self.started = started
        self.context = context
        progressAt = context.clock.now().advanced(by: Self.progressPause)
    }

    mutating func gained(_ bytes: Data) {
        logBytes += bytes.count
        excerpt.add(bytes)
    }

    mutating func tell(isLast: Bool = false) {
        let now = context.clock.now()
        if let (lines, omitted) = excerpt.take(at: now, isLast: isLast) {
            say(StepLog(time: now, step: step, lines: lines, omitted: omitted))
            if omitted > 0 {
                context.metrics.count(
                    "martlet_telemetry_lines_omitted_total", "Log lines that came too fast to be told as telemetry.",
                    by: Double(omitted))
            }
        }
        guard !isLast, progressAt <= now else { return }
        progressAt = now.advanced(by: Self.progressPause)
        let seconds = Double(now.milliseconds - started.milliseconds) / 1_000
        say(StepProgress(time: now, step: step, seconds: seconds, logBytes: logBytes))
    }

    private func say<Body: TelemetryBody>(_ body: Body) { context.bus.telemetry(Body.source, Body.name, body) }
}
