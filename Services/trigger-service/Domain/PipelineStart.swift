import Messages
import ProjectFile

/// `pipeline/start`: what a step asks for that starts another pipeline of its project.
struct PipelineStart: Sendable, Hashable, Codable {
    static let verb = "pipeline/start"
    /// Who holds such steps: no session of a worker, so nothing can take them away.
    static let worker = "trigger-service"

    var pipeline: String
    var parameters: [String: JSONValue]
    /// The step's own commit where it is not given.
    var branch: String?
    /// The step ends when the run that it starts has ended, and as that one did.
    var waits: Bool

    /// - Parameter with: of the step, every expression evaluated.
    init(_ with: JSONValue) throws(Refusal) {
        guard let pipeline = with["pipeline"]?.string, !pipeline.isEmpty else {
            throw Refusal("'pipeline' names no pipeline")
        }
        self.pipeline = pipeline
        switch with["parameters"] ?? .null {
        case .null: parameters = [:]
        case .object(let values): parameters = values
        default: throw Refusal("'parameters' is not a map of names and values")
        }
        branch = with["branch"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        // Text where it comes from a parameter or a variable.
        waits = (with["wait"] ?? .null).isTrue && with["wait"] != "false"
    }

    /// What the step knows afterwards of the run that it started.
    static func outputs(_ facts: RunFacts, _ outcome: Outcome? = nil, _ outputs: JSONValue? = nil) -> JSONValue {
        var members: [String: JSONValue] = [
            "run": .string(facts.id), "number": .int(facts.number), "url": .string(facts.url),
            "pipeline": .string(facts.pipeline),
        ]
        if let outcome { members["run_outcome"] = .string(outcome.rawValue) }
        if let outputs { members["outputs"] = outputs }
        return .object(members)
    }

    /// How a step ends that waited for a run.
    static func result(of run: Run) -> StepResult {
        let outcome = run.status.outcome ?? .failed
        let name = "run #\(run.facts.number) of '\(run.facts.pipeline)'"
        // What is too large for an event is too large for a step as well.
        let theirs = EventRoom.fitting(outputs: run.outputs)
        return StepResult(
            outcome, outputs: Self.outputs(run.facts, outcome, theirs),
            message: "\(name) ended \(outcome.rawValue)" + (run.status.message.map { ": \($0)" } ?? ""))
    }

    static func failure(_ pipeline: String, _ reason: String) -> StepResult {
        StepResult(.failed, message: "starting the pipeline '\(pipeline)' failed: \(reason)")
    }
}
