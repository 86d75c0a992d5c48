import Messages

extension NoticeWriter {
    func modelNotice(_ envelope: Envelope) throws -> Notice? {
        if let body = try envelope.body(ModelRegistered.self) {
            return Notice(
                headline: "\(body.model) version \(body.version) is registered",
                details: [Self.metrics(body.metrics)].compactMap(\.self))
        }
        if let body = try envelope.body(ModelStageChanged.self) {
            let replaced = body.replaced.map { "version \($0.version): \(Self.stage($0.from)) → \(Self.stage($0.to))" }
            return Notice(
                headline: "\(body.model) version \(body.version): \(Self.stage(body.from)) → \(Self.stage(body.to))"
                    + (body.compensates == nil ? "" : " (taken back)"),
                details: replaced + ["Why: \(body.reason)"])
        }
        if let body = try envelope.body(ModelTransitionRefused.self) {
            return Notice(
                headline: "\(body.model) version \(body.version) may not become \(body.to)", details: [body.reason])
        }
        if let body = try envelope.body(ModelWebhookFailed.self) {
            return Notice(
                headline: "webhook \(body.title) at \(body.place) was not told of \(body.event) (\(body.model))",
                details: ["Why: \(body.reason)"])
        }
        return nil
    }

    func deploymentNotice(_ envelope: Envelope) throws -> Notice? {
        if let body = try envelope.body(DeploymentStarted.self) {
            return Notice(headline: "\(body.model) version \(body.version) is being deployed to \(body.endpoint)")
        }
        if let body = try envelope.body(DeploymentFinished.self) {
            return Notice(
                headline:
                    "\(body.model) version \(body.version): deployment to \(body.endpoint) \(Self.ended(body.outcome))",
                details: [body.message, body.scoringURL].compactMap(\.self))
        }
        if let body = try envelope.body(DeploymentRolledBack.self) {
            let now = body.restored.map { "version \($0) serves again" } ?? "nothing serves now"
            return Notice(
                headline: "\(body.model) version \(body.version) is taken back from \(body.endpoint): \(now)",
                details: ["Why: \(body.reason)"])
        }
        if let body = try envelope.body(SmokeTestFinished.self) {
            let what = "\(body.model) version \(body.version): smoke test at \(body.endpoint)"
            return Notice(headline: "\(what) \(Self.ended(body.outcome))", details: [body.message])
        }
        if let body = try envelope.body(DeploymentDrifted.self) {
            return Notice(
                headline: "endpoint \(body.endpoint) has drifted from what it should serve", details: [body.reason])
        }
        if let body = try envelope.body(DeploymentSettled.self) {
            return Notice(headline: "endpoint \(body.endpoint) serves what it should again")
        }
        if let body = try envelope.body(EndpointChanged.self) {
            let what = body.version.map { "\(body.model) version \($0)" } ?? "nothing"
            return Notice(headline: "endpoint \(body.endpoint) is \(body.state) with \(what)", details: [body.url])
        }
        return nil
    }

    private static func stage(_ name: String?) -> String { name ?? "no stage" }
}
