import ArgumentParser

/// A length of time as people write it: `90s`, `30m`, `2h`, `7d`.
struct Span: Sendable, Hashable, CustomStringConvertible, ExpressibleByArgument {
    let seconds: Double
    let description: String

    init(seconds: Double) {
        self.seconds = seconds
        let (unit, name) =
            [(86_400.0, "d"), (3600, "h"), (60, "m")].first {
                seconds >= $0.0 && seconds.truncatingRemainder(dividingBy: $0.0) == 0
            } ?? (1, "s")
        let count = seconds / unit
        description = (count == count.rounded() ? String(Int(count)) : String(count)) + name
    }

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Double(argument.dropLast()),
            number > 0, number < 1_000_000
        else { return nil }
        self.init(seconds: number * unit)
    }

    var defaultValueDescription: String { description }
    var duration: Duration { .seconds(seconds) }
}
