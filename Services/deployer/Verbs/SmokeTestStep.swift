import Foundation
import Messages
import ServiceKit
import Store

/// `deploy/smoke-test`: one request through the gateway, as a client would send it, and what has to come back.
struct SmokeTestStep: Sendable {
    let parts: DeployerParts

    var verb: StepVerb {
        .lasting(["deploy/smoke-test"]) { work, _ in try await perform(work) }
    }

    func perform(_ work: StepWork) async throws -> StepEnding {
        let test: SmokeTest
        let endpoint: String
        do {
            test = try SmokeTest(work.with)
            endpoint = try EndpointName.checked(test.name, target: test.target)
        } catch {
            throw StepFailure("\(error)")
        }
        try await parts.routes.load()
        let rollout = try await parts.context.store.read { db in try RolloutQueries.rollout(of: endpoint, db) }
        guard let tested = rollout.serving else {
            throw StepFailure("endpoint '\(endpoint)' serves nothing; let deploy/model run first")
        }
        let attempt = try await SmokeTestRunner(parts: parts).run(
            test, at: endpoint, of: tested, because: work.causation)
        guard let problem = attempt.problem else { return passed(work, tested, attempt) }
        // Another run's version took over, or serves since before: it is not this run's to take back.
        let isOurs = tested.run == work.run.id
        if test.rollsBack, isOurs { try await Restoration(parts: parts).prepare(endpoint) }
        return failed(work, tested, attempt, problem, rollsBack: test.rollsBack && isOurs)
    }

    private func passed(_ work: StepWork, _ tested: Deployment, _ attempt: SmokeTestRunner.Result) -> StepEnding {
        let message = "Smoke test successful."
        let outputs: JSONValue = [
            "attempts": .int(attempt.attempts), "deployment": .string(tested.id), "version": .int(tested.version),
            "response": Self.told(attempt.answer),
        ]
        let fact = finished(work, tested, .succeeded, attempt.attempts, message)
        return StepEnding(StepResult(.succeeded, outputs: outputs, message: message)) {
            [rollouts = parts.rollouts] transaction in
            try rollouts.apply(.passed(tested.id), to: tested.endpoint, because: work.causation, in: transaction)
            try transaction.publish(
                fact, subject: "deployment/\(tested.id)", key: work.run.id, because: work.causation)
        }
    }

    /// Outputs travel in events: an answer that is long is none there.
    private static func told(_ answer: JSONValue?) -> JSONValue {
        guard let answer, let bytes = try? Wire.encode(answer), bytes.count <= 16 << 10 else { return .null }
        return answer
    }

    private func failed(
        _ work: StepWork, _ tested: Deployment, _ attempt: SmokeTestRunner.Result, _ problem: String, rollsBack: Bool
    ) -> StepEnding {
        let tries = attempt.attempts == 1 ? "" : " after \(attempt.attempts) attempts"
        let message = "Smoke test of version \(tested.version) failed\(tries): \(problem)".shortened()
        let outputs: JSONValue = [
            "attempts": .int(attempt.attempts), "deployment": .string(tested.id), "version": .int(tested.version),
            "rolled_back": .bool(rollsBack),
        ]
        let suffix = rollsBack ? "\nEndpoint \(tested.endpoint) was rolled back." : ""
        let fact = finished(work, tested, .failed, attempt.attempts, message)
        let result = StepResult(.failed, outputs: outputs, message: message + suffix)
        return StepEnding(result) { [rollouts = parts.rollouts] transaction in
            try transaction.publish(
                fact, subject: "deployment/\(tested.id)", key: work.run.id, because: work.causation)
            guard rollsBack else { return }
            try rollouts.apply(
                .testFailed(tested.id, reason: message), to: tested.endpoint, because: work.causation, in: transaction)
        }
    }

    private func finished(
        _ work: StepWork, _ tested: Deployment, _ outcome: Outcome, _ attempts: Int, _ message: String
    ) -> SmokeTestFinished {
        SmokeTestFinished(
            deployment: tested.id, endpoint: tested.endpoint, model: tested.model, version: tested.version,
            run: work.run.id, outcome: outcome, attempts: attempts, message: message)
    }
}
