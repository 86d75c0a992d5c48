import Messages

/// An answer to an approval that a client of the bus gives by an event of its own, instead of a person by the console.
struct EventAnswer: Sendable, Hashable {
    static let type = "approval.answered.v1"

    let answer: ApprovalAnswered

    /// - Throws: `Refusal` when something is missing or is no text.
    init(_ data: JSONValue) throws(Refusal) {
        guard let approval = data["approval"]?.string, !approval.isEmpty else {
            throw Refusal("'data.approval' is missing: the id of the approval")
        }
        guard let approve = data["approve"]?.bool else { throw Refusal("'data.approve' is missing: true or false") }
        answer = ApprovalAnswered(
            approval: approval, approve: approve, comment: data["comment"]?.string?.shortened(), groups: [],
            version: data["version"]?.scalarText, decision: data["decision"]?.string)
    }

    /// A program looks at nothing twice: it says what it agrees to.
    func check(_ approval: Approval) throws(Refusal) {
        guard answer.approve else { return }
        if let version = approval.version, answer.version == nil {
            throw Refusal("'data.version' is missing: this approval is about version \(version)")
        }
        if let decision = approval.decision, answer.decision == nil {
            throw Refusal("'data.decision' is missing: this approval is about decision \(decision)")
        }
    }
}
