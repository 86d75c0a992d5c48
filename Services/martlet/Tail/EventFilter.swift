import ArgumentParser
import Messages

/// Which events somebody wants to see; the same options wherever a stream is followed.
struct EventFilter: ParsableArguments, Sendable {
    @Option(help: "Only types that match, for example 'run.*'; may be repeated.")
    var type: [String] = []

    @Option(help: "Only what concerns this model; may be repeated.")
    var model: [String] = []

    @Option(help: "Only what concerns this run, or the run whose id begins so; may be repeated.")
    var run: [String] = []

    func validate() throws {
        for (name, words) in [("--type", type), ("--model", model), ("--run", run)] where words.contains("") {
            throw ValidationError("\(name): say which, or leave the option out")
        }
    }

    /// Whether it has the wanted type, and concerns what was asked for: by its subject or by what it says.
    func passes(_ event: Envelope) -> Bool {
        matches(event.type) && concerns(event, "model", model, ==) && concerns(event, "run", run) { $0.hasPrefix($1) }
    }

    /// For the name of an event as people write it, and the whole.
    func matches(_ type: String) -> Bool {
        guard !self.type.isEmpty else { return true }
        return self.type.contains { GlobPattern($0).matches(shortEventName(type)) || GlobPattern($0).matches(type) }
    }

    private func concerns(
        _ event: Envelope, _ kind: String, _ wanted: [String], _ fits: (String, String) -> Bool
    ) -> Bool {
        guard !wanted.isEmpty else { return true }
        let parts = event.subject.split(separator: "/", maxSplits: 2)
        let subject = parts.count > 1 && parts[0] == kind ? String(parts[1]) : nil
        return [subject, event.data[kind]?.string].compactMap(\.self).contains { value in
            wanted.contains { fits(value, $0) }
        }
    }
}
