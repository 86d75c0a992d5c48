import Messages
import ProjectFile
import Testing

@testable import TriggerService

struct TickingTests {
    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

    private func ticking(
        _ catchUp: Schedule.CatchUp, next: String, last: String? = nil, now: String
    ) throws -> Ticking {
        let schedule = Schedule(cron: try Cron("0 * * * *"), timeZone: "UTC", catchUp: catchUp)
        let stored = StoredSchedule(
            project: "demo", pipeline: "p", schedule: schedule, next: try time(next), last: try last.map(time))
        return try #require(Ticking(stored, now: try time(now)))
    }

    @Test(arguments: Schedule.CatchUp.allCases)
    func `a tick in time fires, whatever catch_up says`(catchUp: Schedule.CatchUp) throws {
        let ticking = try ticking(catchUp, next: "2026-01-30T09:00:00Z", now: "2026-01-30T09:00:40Z")
        #expect(try ticking.due == [time("2026-01-30T09:00:00Z")] && ticking.missed == nil)
        #expect(try ticking.next == time("2026-01-30T10:00:00Z"))
    }

    @Test func `T6 after a downtime none, the last or all of the missed ticks fire`() throws {
        let (next, now) = ("2026-01-30T09:00:00Z", "2026-01-30T12:30:00Z")
        let hours = try ["09", "10", "11", "12"].map { try time("2026-01-30T\($0):00:00Z") }
        let none = try ticking(.none, next: next, now: now)
        #expect(none.due.isEmpty && none.missed == .init(first: hours[0], last: hours[3], count: 4))
        let last = try ticking(.last, next: next, now: now)
        #expect(last.due == [hours[3]] && last.missed == .init(first: hours[0], last: hours[2], count: 3))
        let all = try ticking(.all, next: next, now: now)
        #expect(all.due == hours && all.missed == nil)
        #expect(try Set([none.next, last.next, all.next]) == [time("2026-01-30T13:00:00Z")])
    }

    @Test func `T6 none still fires the one that is in time`() throws {
        let ticking = try ticking(.none, next: "2026-01-30T09:00:00Z", now: "2026-01-30T10:00:30Z")
        #expect(try ticking.due == [time("2026-01-30T10:00:00Z")] && ticking.missed?.count == 1)
    }

    @Test func `T6 all is a thousand at most, and what is older than sixty days is forgotten`() throws {
        let ticking = try ticking(.all, next: "2025-01-01T00:00:00Z", now: "2026-01-30T12:30:00Z")
        #expect(ticking.due.count == 1000 && ticking.missed?.count == 60 * 24 - 1000)
        #expect(try ticking.due.last == time("2026-01-30T12:00:00Z"))
    }

    @Test func `a clock that is put back repeats nothing`() throws {
        let ticking = try ticking(
            .all, next: "2026-01-30T10:00:00Z", last: "2026-01-30T09:00:00Z", now: "2026-01-30T08:30:00Z")
        #expect(ticking.due.isEmpty && ticking.missed == nil)
        #expect(try ticking.next == time("2026-01-30T10:00:00Z"))
    }

    @Test func `a clock that was wrong by years is not waited for`() throws {
        let ticking = try ticking(
            .all, next: "2031-05-01T10:00:00Z", last: "2031-05-01T09:00:00Z", now: "2026-01-30T08:30:00Z")
        #expect(ticking.due.isEmpty)
        #expect(try ticking.next == time("2026-01-30T09:00:00Z"))
    }
}
