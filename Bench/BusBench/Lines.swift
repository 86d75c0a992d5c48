import Foundation
import Messages

/// What the benchmark's driver says and hears: words in, JSON out, a line each.
enum Lines {
    /// The lines of standard input, read on a thread of their own; ends with the input.
    static func heard() -> AsyncStream<[String]> {
        AsyncStream { lines in
            Thread.detachNewThread {
                while let line = readLine() { lines.yield(line.split(separator: " ").map(String.init)) }
                lines.finish()
            }
        }
    }

    static func say(_ value: [String: JSONValue]) {
        guard let line = try? Wire.encode(JSONValue.object(value)) else { return }
        FileHandle.standardOutput.write(line + Data("\n".utf8))
    }
}

/// Delays in nanoseconds, and what is told of them.
struct Delays {
    private var values: [Int64] = []

    var count: Int { values.count }

    mutating func add(_ delay: Int64) { values.append(delay) }

    /// In microseconds.
    var summary: JSONValue {
        let sorted = values.sorted()
        func at(_ share: Double) -> JSONValue {
            guard !sorted.isEmpty else { return 0 }
            let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
            return .double(Double(sorted[index]) / 1000)
        }
        return ["p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1)]
    }
}
