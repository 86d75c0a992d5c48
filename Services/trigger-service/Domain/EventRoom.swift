import Foundation
import Messages

/// How much of what a run carries goes into its events: one event has to fit into one frame of the bus.
enum EventRoom {
    static let errors = 50
    static let plan = 24 << 10
    static let parameters = 16 << 10
    static let stepOutputs = 32 << 10
    static let outputs = 24 << 10
    static let project = 48 << 10
    /// A verdict's reason is kept for each pipeline.
    static let verdict = 6 << 10
    /// The verdict on what comes to more than one event all the same.
    static let tooLarge = "too_large"

    /// Bytes as they travel.
    static func bytes(_ value: some Encodable) -> Int { (try? Wire.encode(value).count) ?? .max }

    /// The first errors; the last entry says how many more there are.
    static func fitting(_ errors: [FileError]) -> [FileError] {
        var fitting = errors.prefix(Self.errors).map { error in
            FileError(
                file: error.file.shortened(to: 200), line: error.line, column: error.column,
                message: error.message.shortened(to: 480))
        }
        if errors.count > Self.errors {
            let next = errors[Self.errors]
            fitting.append(
                FileError(
                    file: next.file.shortened(to: 200), line: next.line, column: next.column,
                    message: "and \(errors.count - Self.errors) more errors, from here on;"
                        + " `martlet validate` shows all of them"))
        }
        return fitting
    }

    /// The errors as one text: whole ones as long as there is room, then how many more there are.
    static func words(_ errors: [FileError]) -> String {
        var words: [String] = []
        var room = verdict
        for error in errors {
            let text = error.description.shortened(to: 700)
            room -= text.utf8.count + 2
            guard room >= 0 || words.isEmpty else { break }
            words.append(text)
        }
        let more = errors.count - words.count
        if more > 0 { words.append("and \(more) more: `martlet validate` shows all of them") }
        return words.joined(separator: "; ")
    }

    /// A large plan is told without its steps' titles, a very large one without its last jobs.
    static func fitting(_ jobs: [JobPlan]) -> (jobs: [JobPlan], omitted: Int?) {
        if bytes(jobs) <= plan { return (jobs, nil) }
        var fitting: [JobPlan] = []
        var size = 2
        for job in jobs {
            var plain = job
            plain.steps = job.steps.map { StepPlan(id: $0.id, verb: $0.verb, title: $0.verb) }
            size += bytes(plain) + 1
            guard size <= plan else { break }
            fitting.append(plain)
        }
        return (fitting, fitting.count < jobs.count ? jobs.count - fitting.count : nil)
    }

    /// Outputs that are too many for an event are left out as a whole: half of them would pass for all.
    static func fitting(outputs: JSONValue) -> JSONValue {
        bytes(outputs) <= Self.outputs ? outputs : ["omitted": true]
    }
}
