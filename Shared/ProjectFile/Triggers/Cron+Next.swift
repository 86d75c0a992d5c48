import Foundation
import Messages

/// The rule for clocks that are put forward and back:
///
/// - A time of day that is skipped fires at the first moment after the gap; a time that comes twice fires the first time.
/// - What fires in every hour follows the time that passes: nothing in the gap, and both of the doubled hours.
extension Cron {
    /// The first tick after a moment. A schedule that was read always has one.
    package func next(after time: Timestamp, in zone: TimeZone) -> Timestamp? {
        let start = Int((Double(time.milliseconds) / 1000).rounded(.down))
        let zone = ZoneClock(zone: zone)
        let tick = isHourly ? hourly(after: start, zone) : daily(after: start, zone)
        return tick.map { Timestamp(milliseconds: Int64($0) * 1000) }
    }

    /// The longest time between two 29ths of February is eight years.
    private static let horizon = 8 * 366 + 2

    private func daily(after start: Int, _ zone: ZoneClock) -> Int? {
        let today = CivilDate(local: start + zone.offset(at: start))
        for number in today.number - 1...today.number + Self.horizon {
            let date = CivilDate(number: number)
            guard fires(on: date) else { continue }
            let midnight = number * 86_400
            let day = zone.day(from: midnight)
            for hour in hours.values {
                for minute in minutes.values {
                    let tick = day.first(midnight + hour * 3600 + minute * 60)
                    if tick > start { return tick }
                }
            }
        }
        return nil
    }

    private func hourly(after start: Int, _ zone: ZoneClock) -> Int? {
        var now = start - Self.modulo(start, 60) + 60
        let end = now + Self.horizon * 86_400
        while now <= end {
            let local = now + zone.offset(at: now)
            let date = CivilDate(local: local)
            guard fires(on: date) else {
                var next = date.number + 1
                while !fires(on: CivilDate(number: next)), next < date.number + Self.horizon { next += 1 }
                // Not all the way at once: the clock may be put forward in between.
                now += max(60, next * 86_400 - local - 7_200)
                continue
            }
            let minute = Self.modulo(local, 3600) / 60
            if minutes.contains(minute) { return now }
            now += ((minutes.next(from: minute) ?? 60) - minute) * 60
        }
        return nil
    }

    private static func modulo(_ value: Int, _ by: Int) -> Int { ((value % by) + by) % by }
}

extension CivilDate {
    /// - Parameter local: seconds of the clock on the wall.
    fileprivate init(local: Int) { self.init(number: Int((Double(local) / 86_400).rounded(.down))) }
}

/// Between the clock on the wall and the time that passes, both in seconds.
private struct ZoneClock {
    let zone: TimeZone

    func offset(at time: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time))) }

    /// A day, and with it the change of its clock if there is one.
    func day(from midnight: Int) -> Day {
        Day(clock: self, before: offset(at: midnight - 26 * 3600), after: offset(at: midnight + 50 * 3600))
    }

    struct Day {
        let clock: ZoneClock
        let before: Int
        let after: Int

        /// The first moment at which the clock shows this, or has just passed it by.
        func first(_ local: Int) -> Int {
            if before == after { return local - before }
            let moments = [local - before, local - after].sorted()
            if let first = moments.first(where: { clock.offset(at: $0) == local - $0 }) { return first }
            return clock.change(from: moments[0], to: moments[1])
        }
    }

    /// The first moment that has the later offset.
    private func change(from start: Int, to end: Int) -> Int {
        var (low, high) = (start, end)
        let last = offset(at: end)
        while low < high {
            let middle = low + (high - low) / 2
            if offset(at: middle) == last { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
