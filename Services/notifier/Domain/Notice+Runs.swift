import Foundation
import Messages

extension NoticeWriter {
    func runNotice(_ envelope: Envelope) throws -> Notice? {
        if try envelope.body(RunQueued.self) != nil {
            return Notice(headline: "\(runName) is queued")
        }
        if try envelope.body(RunStarted.self) != nil {
            return Notice(headline: "\(runName) started")
        }
        if let body = try envelope.body(RunCancelBegun.self) {
            return Notice(headline: "\(runName) is being canceled", details: [body.reason])
        }
        if let body = try envelope.body(RunFinished.self) {
            return Notice(
                headline: "\(runName) \(Self.ended(body.outcome)) after \(Self.seconds(body.seconds))",
                details: [body.failedStep.map { "Failing step: \($0)" }, body.message].compactMap(\.self))
        }
        if let body = try envelope.body(JobFinished.self) {
            return Notice(
                headline: "\(runName): job \(body.job) \(Self.ended(body.outcome))",
                details: [body.message].compactMap(\.self))
        }
        if let body = try envelope.body(StepFinished.self) {
            return Notice(
                headline: "\(runName): step \(body.job)/\(body.step) (\(body.verb)) \(Self.ended(body.outcome))",
                details: [body.message].compactMap(\.self))
        }
        return try judgementNotice(envelope)
    }

    private func judgementNotice(_ envelope: Envelope) throws -> Notice? {
        if let body = try envelope.body(TrainingFinished.self) {
            return Notice(
                headline: "\(runName): training \(Self.ended(body.outcome)) after \(Self.seconds(body.seconds))",
                details: [Self.metrics(body.metrics), body.message].compactMap(\.self))
        }
        if let body = try envelope.body(EvaluationDecided.self) {
            return Notice(
                headline: "\(runName): the \(body.winner.rawValue) won on \(body.metric) (\(body.model))"
                    + (body.bypass == nil ? "" : ", by bypass"),
                details: [body.message])
        }
        if let body = try envelope.body(EvaluationBypassed.self) {
            return Notice(
                headline: "\(runName): \(body.by) let the challenger of \(body.model) pass at \(body.step)",
                details: ["Why: \(body.reason)"])
        }
        if let body = try envelope.body(EvaluationVoided.self) {
            return Notice(headline: "\(runName): its decision about \(body.model) is void", details: [body.reason])
        }
        if let body = try envelope.body(ChecksPublished.self) {
            let counts = "\(body.passed) passed, \(body.failed) failed, \(body.errors) errors, \(body.skipped) skipped"
            return Notice(
                headline: "\(runName): \(body.title) \(body.status)",
                details: [counts, body.message].compactMap(\.self))
        }
        if let body = try envelope.body(TestSuiteFinished.self) {
            let counts = "\(body.passed) passed, \(body.failed) failed, \(body.errors) errors, \(body.skipped) skipped"
            return Notice(
                headline: "\(runName): tests \(body.status)", details: [counts, body.message].compactMap(\.self))
        }
        return nil
    }

    func approvalNotice(_ envelope: Envelope) throws -> Notice? {
        if let body = try envelope.body(ApprovalRequested.self) {
            let what = body.model.map { model in "\(model) \(body.version.map { "version \($0) " } ?? "")" } ?? ""
            return Notice(
                headline: "\(runName): \(what)waits for approval to \(body.environment)",
                details: [
                    "\(body.required) needed\(body.from.isEmpty ? "" : " from " + body.from.joined(separator: ", "))"
                        + (body.requesterMayApprove ? "" : ", not \(body.requesters.joined(separator: " or "))")
                        + ", until \(body.expires.text)",
                    "martlet approve \(body.approval)",
                ])
        }
        if let body = try envelope.body(ApprovalGiven.self) {
            return Notice(
                headline: "\(runName): \(body.by) approved (\(body.given) of \(body.required))",
                details: [body.comment].compactMap(\.self))
        }
        if let body = try envelope.body(ApprovalFinished.self) {
            let who = body.by.map { " by \($0)" } ?? ""
            return Notice(
                headline: "\(runName): approval to \(body.environment) \(body.result.rawValue)\(who)",
                details: [body.comment].compactMap(\.self))
        }
        if let body = try envelope.body(ApprovalRevoked.self) {
            let late = body.tooLate ? ", after the job was over" : ""
            return Notice(
                headline: "\(runName): \(body.by) took the approval to \(body.environment) back\(late)",
                details: [body.comment].compactMap(\.self) + body.rollback.map { "martlet endpoints rollback \($0)" })
        }
        return nil
    }

    static func ended(_ outcome: Outcome) -> String {
        switch outcome {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .canceled: "was canceled"
        case .skipped: "was skipped"
        case .notPromoted: "ended not_promoted"
        }
    }

    static func seconds(_ value: Double) -> String {
        String(format: value < 10 ? "%.1f s" : "%.0f s", value)
    }

    /// `mse 3379.41, r2 0.33`; `nil` where there are none.
    static func metrics(_ values: [String: JSONValue]) -> String? {
        let texts = values.sorted { $0.key < $1.key }.prefix(10).map { name, value in
            "\(name) \(value.double.map { String(format: "%.6g", $0) } ?? value.scalarText ?? "?")"
        }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }
}
