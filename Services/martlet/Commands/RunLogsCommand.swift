import ArgumentParser
import Messages

struct RunLogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what a run's steps wrote.",
        discussion: """
            Examples:
              martlet runs logs 12
              martlet runs logs 12 --step train/fit
              martlet runs logs -f 12
            """)

    @Argument(help: "The run.")
    var run: String

    @Option(help: "Only this step, as job/step.")
    var step: String?

    @Option(help: "This attempt of the steps, as 'runs show' counts them. Default: the last.")
    var attempt: Int?

    @Flag(name: .shortAndLong, help: "Go on until the run has ended.")
    var follow = false

    @OptionGroup var installation: Installation

    func validate() throws {
        if let attempt, attempt < 1 { throw ValidationError("--attempt: take at least 1") }
    }

    func run() async throws {
        let api = try installation.api()
        var places: [String: Int] = [:]
        var finished: Set<String> = []
        var collected: [JSONValue] = []
        let path = "/runs/\(APIClient.escape(run))/logs"
        let again = follow ? LogTicks(of: try await api.get(path).text("run"), installation.nearbyBus()) : nil
        var ticks = again?.ticks.makeAsyncIterator()
        while true {
            let list = try await api.get(path)
            let steps = (list["steps"]?.array ?? []).filter {
                step == nil || Self.name($0) == step
            }.compactMap(chosen)
            if steps.isEmpty, let step, !follow || list["ended"]?.bool == true {
                throw Failure(
                    "run \(run) has no begun step '\(step)'\(attempt.map { " with attempt \($0)" } ?? "")",
                    hint: "'martlet runs show \(run)' lists its steps")
            }
            for one in steps {
                let key = "\(Self.name(one))/\(one.text("attempt"))"
                guard !finished.contains(key) else { continue }
                let text = try await read(one, key, api, path, &places, &finished)
                if installation.json { collected.append(["step": .string(key), "text": .string(text)]) }
            }
            if list["ended"]?.bool == true { break }
            guard await ticks?.next() != nil else { break }
        }
        await again?.stop()
        if installation.json { try Terminal.show(["items": .array(collected)]) }
    }

    /// The step at the attempt that was asked for; `nil` where it had none of that number.
    private func chosen(_ step: JSONValue) -> JSONValue? {
        guard let attempt else { return step }
        guard attempt <= step["attempt"]?.int ?? 0, case .object(var members) = step else { return nil }
        members["attempt"] = .int(attempt)
        return .object(members)
    }

    private static func name(_ step: JSONValue) -> String { "\(step.text("job"))/\(step.text("step"))" }

    /// Everything of one step that has come since the last look.
    private func read(
        _ step: JSONValue, _ key: String, _ api: APIClient, _ path: String, _ places: inout [String: Int],
        _ finished: inout Set<String>
    ) async throws -> String {
        var whole = ""
        while true {
            let isNew = places[key] == nil
            let part = try await api.get(
                "\(path)/\(APIClient.escape(step.text("job")))/\(APIClient.escape(step.text("step")))",
                [("offset", String(places[key] ?? 0)), ("attempt", step.text("attempt"))])
            let text = part["text"]?.string ?? ""
            if !installation.json {
                if isNew { Terminal.say("== \(Self.name(step))  \(step.text("title"))") }
                Terminal.say(text, terminator: "")
            }
            whole += text
            let next = part["next"]?.int ?? 0
            let moved = next > (places[key] ?? 0)
            places[key] = next
            if part["ended"]?.bool == true {
                finished.insert(key)
                return whole
            }
            if !moved { return whole }
        }
    }
}
