import Messages
import Store

/// What is being worked on here, for whatever is said meanwhile.
package enum WorkContext: Sendable {
    case event(Envelope)
    case step(StepWork)
    case effect(Intent)

    @TaskLocal package static var current: WorkContext?

    /// As members of a log line; only looked up when something is said.
    var members: [String: String] {
        var members: [String: String] = [:]
        switch self {
        case .event(let event):
            members["event"] = event.id
            members["run"] = event.data["run"]?.string
            members["trace"] = event.traceparent.flatMap(Trace.id)
        case .step(let work):
            members["run"] = work.run.id
            members["step"] = work.item
            members["trace"] = work.causation.trace.flatMap(Trace.id)
        case .effect(let intent):
            members["effect"] = intent.kind
            members["key"] = intent.id
        }
        return members
    }
}
