/// When a schedule fires: minute, hour, day, month and weekday as in crontab(5).
///
/// Day and weekday together mean either of them, where both are restricted.
package struct Cron: Sendable, Hashable {
    package let text: String
    let minutes: CronSet
    let hours: CronSet
    let days: CronSet
    let months: CronSet
    /// 0 is Sunday.
    let weekdays: CronSet

    /// - Throws: `CronProblem`, also for a schedule that never fires.
    package init(_ text: String) throws(CronProblem) {
        self.text = text
        let expanded = Self.nicknames[text.lowercased()] ?? text
        let fields = expanded.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        if expanded.hasPrefix("@") {
            let known = Self.nicknames.keys.sorted()
            throw CronProblem("'\(text)' is no schedule" + suggestion(for: text, among: known))
        }
        guard fields.count == 5 else {
            throw CronProblem("'cron' has five fields: minute, hour, day, month, weekday, not \(fields.count)")
        }
        minutes = try CronField.minute.read(fields[0])
        hours = try CronField.hour.read(fields[1])
        days = try CronField.day.read(fields[2])
        months = try CronField.month.read(fields[3])
        weekdays = try CronField.weekday.read(fields[4])
        guard firesEver else {
            throw CronProblem("'\(text)' never fires: no month that it names has such a day")
        }
    }

    private static let nicknames = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    private var firesEver: Bool {
        let first = days.first ?? 1
        let hasDay = months.values.contains { first <= CivilDate.longest(month: $0) }
        return hasDay || (!weekdays.isFull && !days.isFull)
    }

    /// Runs every hour of the day: it follows the time that passes, not the clock on the wall.
    var isHourly: Bool { hours.isFull }

    func fires(on date: CivilDate) -> Bool {
        guard months.contains(date.month) else { return false }
        let day = days.contains(date.day), weekday = weekdays.contains(date.weekday)
        return days.isFull || weekdays.isFull ? day && weekday : day || weekday
    }
}

package struct CronProblem: Error, Sendable, Hashable {
    package var message: String

    init(_ message: String) { self.message = message }
}

/// Small whole numbers, and whether they are all that the field knows.
struct CronSet: Sendable, Hashable {
    private var bits: UInt64 = 0
    var isFull = false

    mutating func insert(_ value: Int) { bits |= 1 << UInt64(value) }

    func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

    var first: Int? { bits == 0 ? nil : bits.trailingZeroBitCount }

    /// The first that is not below `value`.
    func next(from value: Int) -> Int? {
        guard value < 64 else { return nil }
        let rest = bits >> UInt64(value)
        return rest == 0 ? nil : value + rest.trailingZeroBitCount
    }

    var values: [Int] { (0..<64).filter(contains) }
}

/// One of the five fields: `*`, `7`, `1-5`, `*/15`, `10-50/20`, `MON`, and lists of them.
enum CronField: String {
    case minute, hour, day, month, weekday

    private var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .day: 1...31
        case .month: 1...12
        // 7 is Sunday as well.
        case .weekday: 0...7
        }
    }

    private var names: [String] {
        switch self {
        case .minute, .hour, .day: []
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        }
    }

    func read(_ text: String) throws(CronProblem) -> CronSet {
        var set = CronSet()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            var step = 1
            if pieces.count == 2 {
                guard let number = Int(pieces[1]), (1...range.upperBound).contains(number) else {
                    throw CronProblem("'\(part)': a step of the \(rawValue) is 1 to \(range.upperBound)")
                }
                step = number
            }
            let span = try span(pieces[0], steps: pieces.count == 2)
            for value in stride(from: span.lowerBound, through: span.upperBound, by: step) {
                set.insert(self == .weekday ? value % 7 : value)
            }
        }
        set.isFull = (self == .weekday ? 0...6 : range).allSatisfy(set.contains)
        return set
    }

    private func span(_ text: String, steps: Bool) throws(CronProblem) -> ClosedRange<Int> {
        if text == "*" { return range.lowerBound...(self == .weekday ? 6 : range.upperBound) }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard ends.count <= 2 else { throw problem(text) }
        let low = try value(ends[0])
        // `5/10` begins at 5 and goes on to the end.
        guard ends.count == 2 else { return low...(steps ? max(low, self == .weekday ? 6 : range.upperBound) : low) }
        var high = try value(ends[1])
        if self == .weekday, high == 0, low > 0 { high = 7 }
        guard low <= high else { throw CronProblem("'\(text)' ends before it begins") }
        return low...high
    }

    private func value(_ text: String) throws(CronProblem) -> Int {
        if let name = names.firstIndex(of: text.lowercased()) { return self == .month ? name + 1 : name }
        guard let number = Int(text), range.contains(number), !text.hasPrefix("+") else {
            throw problem(text)
        }
        return number
    }

    private func problem(_ text: String) -> CronProblem {
        let known = "\(range.lowerBound) to \(range.upperBound)" + (names.isEmpty ? "" : ", or a name")
        let hint = text.contains(where: { "LW#?".contains($0) }) ? "; L, W, # and ? are not known here" : ""
        return CronProblem("'\(text)' is no \(rawValue): take \(known)\(hint)")
    }
}

/// A day of the calendar, without a time zone.
struct CivilDate: Sendable, Hashable {
    /// Since 1970-01-01.
    var number: Int

    static func longest(month: Int) -> Int { [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] }

    var weekday: Int { (number % 7 + 11) % 7 }

    var month: Int { parts.month }
    var day: Int { parts.day }

    /// Days are counted in eras of 400 years that begin in March, so that a leap day is a year's last.
    private var parts: (month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let year = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        return (month < 10 ? month + 3 : month - 9, ofYear - (153 * month + 2) / 5 + 1)
    }
}
