import Foundation
import Messages
@testable import ProjectFile
import Testing

struct CronTests {
    private func ticks(_ cron: String, _ zone: String = "UTC", after: String, _ count: Int = 3) throws -> [String] {
        let schedule = Schedule(cron: try Cron(cron), timeZone: zone, catchUp: .last)
        var time = try #require(Timestamp(after))
        return try (0..<count).map { _ in
            time = try #require(schedule.next(after: time))
            return time.text.replacing(":00.000Z", with: "Z")
        }
    }

    private static let plain: [(String, [String])] = [
        ("0 9 * * *", ["2026-01-30T09:00Z", "2026-01-31T09:00Z", "2026-02-01T09:00Z"]),
        ("*/20 * * * *", ["2026-01-30T08:20Z", "2026-01-30T08:40Z", "2026-01-30T09:00Z"]),
        ("5/25 8 * * *", ["2026-01-30T08:05Z", "2026-01-30T08:30Z", "2026-01-30T08:55Z"]),
        ("0 0 31 * *", ["2026-01-31T00:00Z", "2026-03-31T00:00Z", "2026-05-31T00:00Z"]),
        ("0 0 29 2 *", ["2028-02-29T00:00Z", "2032-02-29T00:00Z", "2036-02-29T00:00Z"]),
        ("0 0 * * MON-FRI", ["2026-02-02T00:00Z", "2026-02-03T00:00Z", "2026-02-04T00:00Z"]),
        ("0 0 * * 7", ["2026-02-01T00:00Z", "2026-02-08T00:00Z", "2026-02-15T00:00Z"]),
        ("0 0 * * sat-sun", ["2026-01-31T00:00Z", "2026-02-01T00:00Z", "2026-02-07T00:00Z"]),
        ("0 12 1,15 * 1", ["2026-02-01T12:00Z", "2026-02-02T12:00Z", "2026-02-09T12:00Z"]),
        ("0 0 1 jan,JUL *", ["2026-07-01T00:00Z", "2027-01-01T00:00Z", "2027-07-01T00:00Z"]),
        ("@weekly", ["2026-02-01T00:00Z", "2026-02-08T00:00Z", "2026-02-15T00:00Z"]),
    ]

    @Test(arguments: plain)
    func `T5 a schedule fires as crontab says`(cron: String, expected: [String]) throws {
        #expect(try ticks(cron, after: "2026-01-30T08:00:00Z") == expected)
    }

    private static let changes: [(String, String, String, [String])] = [
        // Put forward in Berlin on 29 March 2026 from 2:00 to 3:00 (1:00 UTC): the skipped time fires at its end.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]),
        ("0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:00Z"]),
        ("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", ["2026-03-29T00:30Z", "2026-03-29T01:30Z"]),
        // Put back on 25 October 2026 from 3:00 to 2:00 (1:00 UTC): a time fires once, every hour fires in both.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["2026-10-25T02:00Z", "2026-10-26T02:00Z"]),
        ("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", ["2026-10-25T00:30Z", "2026-10-25T01:30Z"]),
        // Within the second 2 o'clock nothing is repeated.
        ("15,45 2 * * *", "Europe/Berlin", "2026-10-25T01:05:00Z", ["2026-10-26T01:15Z", "2026-10-26T01:45Z"]),
        // Half an hour, on the other side of the world.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", ["2026-10-03T15:30Z", "2026-10-04T15:15Z"]),
        // Midnight itself is skipped.
        ("0 0 * * *", "Africa/Cairo", "2026-04-22T23:00:00Z", ["2026-04-23T22:00Z", "2026-04-24T21:00Z"]),
    ]

    @Test(arguments: changes)
    func `T5 the clock is put forward and back by a declared rule`(
        cron: String, zone: String, after: String, expected: [String]
    ) throws {
        #expect(try ticks(cron, zone, after: after, expected.count) == expected)
    }

    private static let wrong: [(String, String)] = [
        ("60 * * * *", "'60' is no minute: take 0 to 59"),
        ("* 24 * * *", "'24' is no hour: take 0 to 23"),
        ("* * 0 * *", "'0' is no day: take 1 to 31"),
        ("* * * fev *", "'fev' is no month: take 1 to 12, or a name"),
        ("* * * * L", "'L' is no weekday: take 0 to 7, or a name; L, W, # and ? are not known here"),
        ("*/0 * * * *", "'*/0': a step of the minute is 1 to 59"),
        ("5-1 * * * *", "'5-1' ends before it begins"),
        ("1,,2 * * * *", "'' is no minute: take 0 to 59"),
        ("* * *", "'cron' has five fields: minute, hour, day, month, weekday, not 3"),
        ("@dayly", "'@dayly' is no schedule; did you mean '@daily'?"),
        ("0 0 30 2 *", "'0 0 30 2 *' never fires: no month that it names has such a day"),
        ("0 0 31 4,6,9,11 *", "'0 0 31 4,6,9,11 *' never fires: no month that it names has such a day"),
    ]

    @Test(arguments: wrong)
    func `a schedule that cannot be read or never fires is refused with the file`(cron: String, message: String) throws
    {
        let body = "on: { schedule: { cron: '\(cron)' } }\njobs: { j: { steps: [ { run: x } ] } }"
        #expect(errors(file(pipeline: body)) == ["5:29: \(message)"])
    }

    @Test func `an unknown time zone is refused with the nearest`() {
        let body = "on: { schedule: { cron: '@daily', timezone: Europe/Prag } }\njobs: { j: { steps: [ { run: x } ] } }"
        #expect(
            errors(file(pipeline: body)) == ["5:49: there is no time zone 'Europe/Prag'; did you mean 'Europe/Prague'?"]
        )
    }

    @Test func `a day with a weekday in February may be none, and still another fires`() throws {
        #expect(try ticks("0 0 30 2 1", after: "2026-01-30T08:00:00Z", 1) == ["2026-02-02T00:00Z"])
    }
}
