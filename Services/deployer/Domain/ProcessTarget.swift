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
        self.healthSeconds = declaration["health_timeout"].flatMap(Interval.seconds) ?? healthSeconds
        variables = declaration["env"]?.object ?? [:]
    }
}

/// Lengths of time as project files write them: `1s`, `500ms`, `2m`, or a number of seconds.
enum Interval {
    static func seconds(_ value: JSONValue) -> Double? {
        if let number = value.double { return number >= 0 ? number : nil }
        guard let text = value.string else { return nil }
        for (unit, factor) in [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)] where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).flatMap { $0 >= 0 ? $0 * factor : nil }
        }
        return Double(text).flatMap { $0 >= 0 ? $0 : nil }
    }
}
