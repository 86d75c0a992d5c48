import Foundation
import Messages

/// A target of kind `process`: how a version of the model is served by a program of the project's.
struct ProcessTarget: Sendable, Hashable, Codable {
    /// As written: one line for the shell, or program and arguments.
    enum Command: Sendable, Hashable, Codable {
        case line(String)
        case arguments([String])
    }

    var command: Command
    /// The variable that tells the program which port to listen on.
    var portVariable: String
    /// Polled until it answers 2xx; `nil`: any answer on `/` will do.
    var health: String?
    var healthSeconds: Double
    /// What a start is given. Stored ones may say more than any clock can count: once, every number was taken.
    var patience: Double { min(healthSeconds, Interval.longest) }
    /// How long requests under way to a version may still take when it is replaced; `nil`: as the deployer is set.
    var drainSeconds: Double?
    var score: String
    /// Further variables; a secret is its name.
    var variables: [String: JSONValue]

    struct Problem: Error, Hashable, CustomStringConvertible { let description: String }

    /// - Parameter healthSeconds: where the target does not say how long its start may take.
    init(name: String, declaration: JSONValue, healthSeconds: Double) throws(Problem) {
        func problem(_ text: String) -> Problem { Problem(description: "target '\(name)': \(text)") }
        let kind = declaration["kind"]?.string ?? ""
        guard kind == "process" else {
            throw problem("its kind is '\(kind)'; this deployer serves targets of kind 'process'")
        }
        if let line = declaration["command"]?.string, !line.trimmingCharacters(in: .whitespaces).isEmpty {
            command = .line(line)
        } else if let words = declaration["command"]?.array, !words.isEmpty, words.allSatisfy({ $0.scalarText != nil })
        {
            command = .arguments(words.compactMap(\.scalarText))
        } else {
            throw problem("it has no 'command' that starts the serving program")
        }
        portVariable = declaration["port_env"]?.string ?? "PORT"
        for path in [declaration["health"]?.string, declaration["score"]?.string].compactMap(\.self) {
            guard path.hasPrefix("/") else { throw problem("the path '\(path)' does not begin with '/'") }
        }
        health = declaration["health"]?.string
        score = declaration["score"]?.string ?? "/score"
        func seconds(_ key: String) throws(Problem) -> Double? {
            guard let value = declaration[key], value != .null else { return nil }
            guard let seconds = Interval.seconds(value) else {
                throw problem("its \(key) is not a time of at most 30 days; write '2m'")
            }
            return seconds
        }
        self.healthSeconds = try seconds("timeout") ?? healthSeconds
        drainSeconds = try seconds("drain")
        variables = declaration["env"]?.object ?? [:]
    }
}

/// Lengths of time as project files write them: `1s`, `500ms`, `2m`, or a number of seconds.
enum Interval {
    /// Seconds: 30 days. What is much longer no clock can count.
    static let longest: Double = 30 * 86_400

    /// `nil` for what is no length of time, or longer than the longest.
    static func seconds(_ value: JSONValue) -> Double? {
        guard let seconds = value.double ?? value.string.flatMap(Self.written), (0...longest).contains(seconds) else {
            return nil
        }
        return seconds
    }

    private static func written(_ text: String) -> Double? {
        let units: [(name: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]
        guard let unit = units.first(where: { text.hasSuffix($0.name) }) else { return Double(text) }
        return Double(text.dropLast(unit.name.count)).map { $0 * unit.seconds }
    }
}
