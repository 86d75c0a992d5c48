import Artifacts
import Foundation
import HTTPClient
import Logging
import Messages
import ServiceKit

/// Lets training code say with an ordinary MLflow client what it measures and makes, and reads it when the code has ended.
struct Tracking: Sendable {
    let context: ServiceContext
    /// The registry's door; `nil`: that of this installation.
    let address: String?
    /// How long it waits before it asks again; later up to thirty times as long.
    var pause = Duration.seconds(1)
    private let client = HTTPClient()

    /// So many errors of the registry's own, minutes of them, will not end of themselves.
    static let mostErrors = 10

    /// What stands before the registry says so of a burst: 408 and 429 are no refusal.
    private static let later = [408, 429]

    init(context: ServiceContext, settings: Settings) {
        self.context = context
        address = settings.trackingURI
    }

    /// What the code of one work item is told; `nil` where there is no registry to speak with.
    func pass(for work: StepWork) async throws -> TrackingPass? {
        guard let url = await url() else { return nil }
        let tokens = try TrainingToken(keyAt: context.paths.service(.trainerProxy) + "/training.key")
        return TrackingPass(url: url, token: tokens.token(of: work.item), project: work.run.project)
    }

    /// A registry that is just starting has its address in a moment.
    private func url() async -> String? {
        if let address { return address == "none" ? nil : address }
        for _ in 0..<50 {
            if let door = ServiceAddress.read(from: context.paths.address(.registryService)) {
                return "http://\(door.reachable):\(door.port)"
            }
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return nil }
        }
        context.logger.warning("the registry has no address: training code is not told of it")
        return nil
    }

    /// Asks until it is answered: a registry that is away for a while must not cost a finished training.
    ///
    /// - Throws: `StepFailure` when it refuses, or answers with one error after the other: a training whose results are
    ///   lost has not succeeded.
    func told(of trainingRun: String, _ pass: TrackingPass) async throws -> TrackedRun {
        let name = trainingRun.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? trainingRun
        var (wait, errors) = (pause, 0)
        while true {
            let answer = try? await client.send(
                HTTPRequest(
                    method: "GET", url: "\(pass.url)/api/v1/training-runs/\(name)",
                    headers: [(name: "Authorization", value: "Bearer \(pass.token.text)")]))
            if let answer, answer.isSuccess { return try Wire.decode(TrackedRun.self, from: answer.body) }
            if let answer, (400..<500).contains(answer.status), !Self.later.contains(answer.status) {
                throw Self.unreadable(Self.reason(answer.status, answer.body))
            }
            // 503 and what stands before a registry that is away say: later.
            if let answer, answer.status == 500 {
                errors += 1
                guard errors < Self.mostErrors else { throw Self.unreadable(Self.reason(answer.status, answer.body)) }
            }
            try await Task.sleep(for: wait)
            wait = min(wait * 2, pause * 30)
        }
    }

    static func unreadable(_ reason: String) -> StepFailure {
        StepFailure("what the code told the registry cannot be read: \(reason)")
    }

    private static func reason(_ status: Int, _ body: Data) -> String {
        let message = (try? Wire.decode(JSONValue.self, from: body))?["message"]?.string
        return message.map { "\($0) (\(status))" } ?? "it answers \(status)"
    }
}

/// How the code of one execution comes into the registry.
struct TrackingPass: Sendable {
    var url: String
    var token: TokenText
    var project: String

    /// As MLflow's clients look for it.
    var variables: [String: String] {
        [
            "MLFLOW_TRACKING_URI": url, "MLFLOW_TRACKING_TOKEN": token.text, "MLFLOW_EXPERIMENT_NAME": project,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        ]
    }
}

/// What training code told the registry.
struct TrackedRun: Decodable, Sendable {
    var metrics: [String: JSONValue]?
    var params: [String: String]?
    var tags: [String: String]?
    var model: ModelArtifact?
    /// Why the model that it logged is none of the step's.
    var problem: String?
}
