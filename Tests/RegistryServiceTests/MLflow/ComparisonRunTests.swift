import Foundation
import Messages
import Testing

@testable import RegistryService

@Suite struct ComparisonRunTests {
    private func decided(_ digest: String, experiment: String? = nil, logs: Bool = true) -> EvaluationDecided {
        EvaluationDecided(
            decision: digest, run: "run-7", step: "job/compare", model: "churn", winner: .challenger, rule: [:],
            metric: "roc_auc_score", challenger: EvaluatedCandidate(version: 2, trainingRun: nil, value: 0.9),
            champion: EvaluatedCandidate(version: 1, trainingRun: nil, value: 0.8), reason: .better, message: "numbers",
            logged: logs
                ? LoggedComparison(
                    runName: "staging_vs_prod_comparison", experiment: experiment,
                    metrics: ["staging_roc_auc_score": 0.9, "production_roc_auc_score": 0.8]) : nil)
    }

    private func runs(_ door: Door, in experiment: String) async throws -> [JSONValue] {
        let found = try await door.get("/experiments/get-by-name", [("experiment_name", experiment)])
        let id = found.json["experiment"]?["experiment_id"]?.string ?? ""
        let answer = try await door.post("/runs/search", ["experiment_ids": [.string(id)]])
        return answer.json["runs"]?.array ?? []
    }

    @Test func `S4-12 both numbers are a run in the deployment experiment, apart from the training`() async throws {
        let door = try await Door()
        try await door.registry.declare(trunk, project: "telco")
        try await door.registry.tell(decided("sha256:one"))
        let run = try #require(try await runs(door, in: "telco-deployment").first)
        #expect(run["info"]?["run_name"] == "staging_vs_prod_comparison" && run["info"]?["status"] == "FINISHED")
        let metrics = run["data"]?["metrics"]?.array ?? []
        #expect(
            Dictionary(metrics.map { ($0["key"]?.string, $0["value"]?.double) }, uniquingKeysWith: { $1 })
                == ["staging_roc_auc_score": 0.9, "production_roc_auc_score": 0.8])
        let tags = run["data"]?["tags"]?.array ?? []
        #expect(tags.contains(["key": "external_run_id", "value": "run-7"]))
        #expect(tags.contains(["key": "martlet.decision", "value": "sha256:one"]))
    }

    @Test func `a decision that is told again is one run, and each decision has its own`() async throws {
        let door = try await Door()
        for digest in ["sha256:one", "sha256:one", "sha256:two"] {
            try await door.registry.tell(decided(digest, experiment: "comparisons"))
        }
        try await door.registry.tell(decided("sha256:three", logs: false))
        #expect(try await runs(door, in: "comparisons").count == 2)
        #expect(try await runs(door, in: "churn-deployment").isEmpty)
    }
}
