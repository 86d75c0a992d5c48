import Messages

/// What one decision of a run changed: events to publish and things to see to, in the order they happened.
enum RunChange: Sendable, Hashable {
    case runStarted
    case runFinished
    /// It is over when the workers of these have confirmed.
    case cancelBegun([StepPlace], reason: String)
    case jobStarted(Int)
    case jobFinished(Int)
    case stepFinished(StepPlace, FinishedAttempt)
    case cancelRequested(StepPlace, reason: String)
    /// A worker may take it now.
    case offered(StepPlace)
    case approvalWanted(Approval)
    /// By something else than people's answers.
    case approvalClosed(String, ApprovalResult, reason: String)
    /// The step is to be offered again then.
    case retry(StepPlace, at: Timestamp)
    /// The job's time is over then.
    case deadline(Int, at: Timestamp)
    /// The step's time is over then.
    case stepDeadline(StepPlace, at: Timestamp)
    /// Until then its worker is waited for to say that it stopped.
    case stepConfirmation(StepPlace, at: Timestamp)
}

/// One attempt of a step as it ended; the step itself may be at its next one by now.
struct FinishedAttempt: Sendable, Hashable {
    var attempt: Int
    var outcome: Outcome
    var message: String?
    var outputs: JSONValue
    var log: Digest?
    var seconds: Double?
    /// Its worker had been told to stop.
    var wasToStop: Bool
}
