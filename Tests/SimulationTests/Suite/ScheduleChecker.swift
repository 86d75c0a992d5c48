import Foundation
import Messages
import ProjectFile

/// What trigger-service has said of schedules: every tick of each is there once, or told as missed, and those that are
/// there have a verdict.
enum ScheduleChecker {
    static func problems(_ said: [Envelope]) throws -> [String] {
        var problems: [String] = []
        var ends: [String: Timestamp] = [:]
        var ticks: [String: ScheduleTicked] = [:]
        var verdicts: [String: Int] = [:]
        for envelope in said {
            if let tick = try envelope.body(ScheduleTicked.self) {
                let between = try passed(tick.cron, tick.timeZone, after: ends[tick.pipeline], before: tick.due)
                if let between, between != tick.missed {
                    problems.append(
                        "I2 \(tick.pipeline): \(between) ticks passed before \(tick.due.text), not \(tick.missed)")
                }
                ends[tick.pipeline] = tick.due
                ticks[envelope.id] = tick
            } else if let missed = try envelope.body(ScheduleMissed.self) {
                let before = try passed(
                    missed.cron, missed.timeZone, after: ends[missed.pipeline], before: missed.first)
                if let before, before != 0 {
                    problems.append("I1 \(missed.pipeline): \(before) ticks before \(missed.first.text) are nowhere")
                }
                ends[missed.pipeline] = missed.last
            } else if let verdict = try envelope.body(TriggerMatched.self) {
                verdicts["\(verdict.cause) \(verdict.pipeline)", default: 0] += 1
            } else if let verdict = try envelope.body(TriggerIgnored.self) {
                verdicts["\(verdict.cause) \(verdict.pipeline)", default: 0] += 1
            }
        }
        for (id, tick) in ticks {
            let count = verdicts["\(id) \(tick.pipeline)"] ?? 0
            if count != 1 { problems.append("I4 \(tick.pipeline) at \(tick.due.text) has \(count) verdicts") }
        }
        return problems
    }

    /// How many ticks there are between the last one told and this one; `nil` where it is the first, negative where it is
    /// not after that.
    private static func passed(
        _ cron: String, _ zone: String, after end: Timestamp?, before due: Timestamp
    ) throws -> Int? {
        guard let end else { return nil }
        if due <= end { return -1 }
        let schedule = Schedule(cron: try Cron(cron), timeZone: zone, catchUp: .none)
        var count = 0
        var time = schedule.next(after: end)
        while let passed = time, passed < due {
            count += 1
            time = schedule.next(after: passed)
        }
        return count
    }
}
