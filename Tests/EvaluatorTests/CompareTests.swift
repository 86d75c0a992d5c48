import Artifacts
import Foundation
import GRDB
import Messages
import Store
import Testing

@testable import Evaluator

@Suite struct CompareTests {
    @Test func `S2-11 the champion is the newest version with the tag, and need not be deployed`() async throws {
        let judge = try Judge()
        try await judge.declare(champion: "tag:experiment_name=mlops")
        try await judge.register(1, ["mse": 1.0], tags: ["experiment_name": "mlops"])
        try await judge.register(2, ["mse": 3.0], tags: ["experiment_name": "mlops"])
        try await judge.register(3, ["mse": 0.1], tags: ["experiment_name": "other"])
        try await judge.train("new", ["mse": 2.0])
        let result = try await judge.compare(["challenger": ["run": "new"]])
        #expect(result.outcome == .succeeded)
        #expect(result.outputs["winner"] == "challenger")
        #expect(result.outputs["champion"] == 2)
        #expect(result.outputs["champion_value"]?.double == 3)
        #expect(result.outputs["challenger_value"]?.double == 2)
        #expect(result.outputs["challenger"] == "new")
        #expect(result.outputs["reason"] == "better")
    }

    @Test func `S3-13 the champion is the version in production, as the registry says at this moment`() async throws {
        let judge = try Judge()
        try await judge.declare(champion: "stage=production")
        try await judge.register(1, ["mse": 1.0])
        try await judge.register(2, ["mse": 2.0])
        try await judge.stage(1, "production")
        try await judge.stage(2, "production", replaced: [StageMove(version: 1, from: "production", to: "surpassed")])
        try await judge.register(3, ["mse": 1.5])
        let result = try await judge.compare(["challenger": "3"])
        #expect(result.outputs["champion"] == 2)
        #expect(result.outputs["challenger"] == 3)
        #expect(result.outputs["winner"] == "challenger")
    }

    @Test func `a number that a restored registry gives again is judged by the new version's numbers`() async throws {
        let judge = try Judge()
        try await judge.register(1, ["mse": 1.0])
        try await judge.register(7, run: "old", ["mse": 0.1], tags: ["owner": "ada"])
        try await judge.stage(7, "production")
        try await judge.register(7, run: "new", ["mse": 9.0])
        let result = try await judge.compare(["challenger": 7, "champion": 1])
        #expect(result.outputs["challenger_value"]?.double == 9)
        #expect(result.outputs["winner"] == "champion")
        let (holder, version) = try await judge.store.read { db in
            (
                try ProjectionQueries.newest(.stage("production"), of: "churn", db),
                try ProjectionQueries.newest(.number(7), of: "churn", db)
            )
        }
        #expect(holder == nil)
        #expect(version?.source.tags == [:])
        // Told twice, it is the same version.
        try await judge.stage(7, "production")
        try await judge.register(7, run: "new", ["mse": 9.0])
        let same = try await judge.store.read { db in
            try ProjectionQueries.newest(.stage("production"), of: "churn", db)
        }
        #expect(same?.number == 7)
    }

    /// Compares version 2 with version 1 over these rows: what each model says of a label of 1, and the other columns.
    private func compareSlices(
        _ judge: Judge, right: (old: Range<Int>, new: Range<Int>), columns: [(name: String, values: [String])]
    ) async throws -> StepResult {
        func predictions(_ right: Range<Int>) async throws -> Digest {
            let names = ["label", "prediction"] + columns.map(\.name)
            let rows = (columns.first?.values ?? []).indices.map { row in
                (["1", right.contains(row) ? "1" : "0"] + columns.map { $0.values[row] }).joined(separator: ",")
            }
            let text = ([names.joined(separator: ",")] + rows).joined(separator: "\n")
            return try await judge.artifacts.put(Data(text.utf8))
        }
        for (version, right) in [(1, right.old), (2, right.new)] {
            try await judge.tell(
                ModelRegistered(
                    model: "churn", version: version, trainingRun: "t\(version)",
                    artifact: ModelArtifact(digest: Digest(of: Data()), size: 0, files: []), metrics: [:],
                    params: [:], tags: [:], predictions: try await predictions(right)))
        }
        return try await judge.compare([
            "challenger": 2, "champion": 1, "metric": "accuracy", "better": "higher",
            "slices": ["columns": .array(columns.map { .string($0.name) }), "min_rows": 1],
        ])
    }

    @Test func `E1 a rule of hundreds of slices decides: the event tells the lost ones, the record keeps all`()
        async throws
    {
        let judge = try Judge()
        let columns = ["a", "b"].map { name in (name: name, values: (100..<300).map { "group \($0)" }) }
        // Better on the whole, and worse in the last row of all: the last slice of both columns.
        let result = try await compareSlices(judge, right: (old: 150..<200, new: 0..<199), columns: columns)
        #expect(result.outputs["reason"] == "slice_lost", "\(result.message ?? "")")
        let told = try #require(try await judge.said(EvaluationDecided.self).first?.gates).filter { $0.kind == "slice" }
        #expect(told.count == 60)
        #expect(told.filter { !$0.passed }.map(\.name) == ["a=group 299", "b=group 299"])
        let record = try await judge.store.read { db in
            try RecordQueries.decision(of: "run/job/evaluate/1", db)?.decision
        }
        let kept = record?.gates?.filter { $0.kind == "slice" }
        #expect(kept?.count == 400)
    }

    @Test func `E1 a slice of a very long name is told by a short one`() async throws {
        let judge = try Judge()
        let long = String(repeating: "x", count: 70_000)
        let result = try await compareSlices(
            judge, right: (old: 0..<1, new: 0..<2), columns: [(name: "note", values: [long, long])])
        #expect(result.outputs["winner"] == "challenger", "\(result.message ?? "")")
        let gates = try #require(try await judge.said(EvaluationDecided.self).first?.gates)
        #expect(gates.last?.kind == "slice")
        #expect((gates.last?.name.count ?? 0) <= 200)
    }

    @Test func `S2-12 without any champion the first model wins`() async throws {
        let judge = try Judge()
        try await judge.declare(champion: "stage=production")
        try await judge.train("new", ["mse": 2.0])
        let result = try await judge.compare(["challenger": ["run": "new"]])
        #expect(result.outcome == .succeeded)
        #expect(result.message == "This is the first model, thus it should be registered")
        #expect(result.outputs["champion"] == .null)
    }

    @Test func `S3-23 with nothing deployed the challenger wins, and it says so`() async throws {
        let judge = try Judge()
        try await judge.train("new", ["mse": 2.0])
        try await judge.tell(
            EndpointChanged(
                endpoint: "api", url: "http://x", model: "churn", version: nil, deployment: nil, state: "empty"))
        let result = try await judge.compare(["challenger": ["run": "new"], "champion": "current"])
        #expect(result.outcome == .succeeded)
        #expect(
            result.message
                == "There are no models deployed at endpoint api. Model will be deployed without compare.")
    }

    @Test func `S2-13 losing ends not_promoted by default, with both numbers`() async throws {
        let judge = try Judge()
        try await judge.register(1, ["mse": 1.0])
        try await judge.train("new", ["mse": 2.0])
        let result = try await judge.compare(["challenger": ["run": "new"], "champion": "latest"])
        #expect(result.outcome == .notPromoted)
        #expect(result.message?.hasPrefix("Current Production model mse: 1.0, New trained model mse: 2.0") == true)
        let reported = try await judge.compare(
            ["challenger": ["run": "new"], "champion": "latest", "on_lose": "report"], item: "other")
        #expect(reported.outcome == .succeeded)
        #expect(reported.outputs["winner"] == "champion")
    }

    @Test func `E9 the champion is never the challenger itself`() async throws {
        let judge = try Judge()
        try await judge.register(1, run: "t1", ["mse": 1.0])
        try await judge.register(2, run: "t2", ["mse": 0.5])
        try await judge.train("t2", ["mse": 0.5])
        let latest = try await judge.compare(["challenger": "2", "champion": "latest"])
        #expect(latest.outputs["champion"] == 1)
        // Also where the challenger is named by the run that version 2 was made of.
        let byRun = try await judge.compare(["challenger": ["run": "t2"], "champion": "latest"], item: "b")
        #expect(byRun.outputs["champion"] == 1)
        let same = try await judge.compare(["challenger": "2", "champion": "2"], item: "c")
        #expect(same.outcome == .failed)
        #expect(same.message?.contains("is the challenger itself") == true)
    }

    @Test func `E12 a decision is stored once, with its digest and its event`() async throws {
        let judge = try Judge()
        try await judge.register(1, ["mse": 1.0])
        try await judge.train("new", ["mse": 0.5])
        let with: [String: JSONValue] = ["challenger": ["run": "new"], "champion": "latest"]
        let first = try await judge.compare(with)
        // S0-18: the same item after a crash gets the same decision, whatever was registered since.
        try await judge.register(2, ["mse": 0.1])
        #expect(try await judge.compare(with) == first)

        let events = try await judge.said(EvaluationDecided.self)
        #expect(events.count == 1)
        #expect(events.first?.decision == first.outputs["decision"]?.string)
        #expect(events.first?.rule["missing_metric"] == ["challenger": "lose", "champion": "lose"])
        // With the files that were judged.
        let files = Digest(of: Data())
        #expect(
            events.first?.champion == EvaluatedCandidate(version: 1, trainingRun: "t1", value: 1, artifact: files))

        let body = try #require(
            try await judge.store.read { db in try Data.fetchOne(db, sql: "SELECT body FROM decision") })
        #expect(Digest(of: body).text == first.outputs["decision"]?.string)
        await #expect(throws: DatabaseError.self) {
            try await judge.store.write { tx in try tx.db.execute(sql: "UPDATE decision SET body = x''") }
        }
    }

    @Test func `C-11 what cannot be compared is an error and no decision`() async throws {
        let judge = try Judge()
        try await judge.train("broken", ["mse": 1], outcome: .failed)
        let questions: [[String: JSONValue]] = [
            ["challenger": ["run": "nobody"], "champion": "latest"],
            ["challenger": ["run": "broken"], "champion": "latest"], ["challenger": "9", "champion": "latest"],
            ["challenger": "", "champion": "latest"], ["challenger": ["run": "broken"]],
        ]
        for (number, question) in questions.enumerated() {
            #expect(try await judge.compare(question, item: "\(number)").outcome == .failed)
        }
        #expect(try await judge.said(EvaluationDecided.self).isEmpty)
    }

    @Test func `X5 a pinned pair is what all gates judge`() async throws {
        let judge = try Judge()
        try await judge.declare(champion: "stage=production")
        try await judge.register(1, ["mse": 1.0])
        try await judge.stage(1, "production")
        try await judge.register(2, ["mse": 0.5])
        let pinning = work("evaluate/pin", ["challenger": "latest"])
        let pair = try await judge.store.read { db in try PinStep.perform(pinning, in: db) }.outputs
        #expect(pair["challenger"] == 2)
        #expect(pair["champion"] == 1)
        try await judge.register(3, ["mse": 0.1])
        let result = try await judge.compare(["pair": pair])
        #expect(result.outputs["challenger"] == 2)
        #expect(result.outputs["champion"] == 1)
    }

    @Test func `S3-14 a pair pinned without a champion stays without one`() async throws {
        let judge = try Judge()
        try await judge.declare(champion: "stage=production")
        try await judge.register(1, ["mse": 1.0])
        let pinning = work("evaluate/pin", [:])
        let pair = try await judge.store.read { db in try PinStep.perform(pinning, in: db) }.outputs
        try await judge.register(2, ["mse": 0.1])
        try await judge.stage(2, "production")
        let result = try await judge.compare(["pair": pair])
        #expect(result.outputs["reason"] == "no_champion")
    }

    @Test(arguments: [
        (JSONValue.object(["less_than": 0.05]), Outcome.succeeded),
        (.object(["less_than": 0.01]), .notPromoted),
        (.object(["at_most": 0.02, "greater_than": 0]), .succeeded),
        (.object(["equals": 0.5]), .notPromoted),
    ])
    func `S3-14 a number is held against declared limits`(_ bounds: JSONValue, _ outcome: Outcome) async throws {
        let judge = try Judge()
        try await judge.train("mcnemar", ["pvalue": 0.02])
        let remark = "Unable to conclude if challenger is better than champion."
        let base: [String: JSONValue] = [
            "run": "mcnemar", "metric": "pvalue", "on_fail": "not_promoted", "message": .string(remark),
        ]
        let asking = work("evaluate/assert", .object(base.merging(bounds.object ?? [:]) { $1 }))
        let result = try await judge.store.read { db in try AssertStep.perform(asking, in: db) }
        #expect(result.outcome == outcome)
        #expect(result.message?.hasPrefix(remark) == (outcome == .notPromoted))
    }

    @Test func `S3-14 a number that is missing never holds, and an assertion without a limit is refused`() async throws
    {
        let judge = try Judge()
        try await judge.train("t", ["auc": 0.02])
        let missing = work("evaluate/assert", ["run": "t", "metric": "pvalue", "less_than": 1])
        let result = try await judge.store.read { db in try AssertStep.perform(missing, in: db) }
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("metrics are: auc") == true)
        #expect(throws: Refusal.self) { try Assertion(["metric": "auc"]) }
    }
}
