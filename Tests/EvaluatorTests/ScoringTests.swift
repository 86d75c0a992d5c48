import Artifacts
import Foundation
import GRDB
import Messages
import Processes
import ServiceKit
import Store
import Testing

@testable import Evaluator

/// Both models scored afresh, in real processes.
@Suite struct ScoringTests {
    /// A "model" is a file with the one answer that it always gives.
    private static let score = """
        answer=$(cat $MARTLET_MODEL/answer)
        echo "$MARTLET_ROLE" >> "$COUNT"
        { echo label,prediction; while read label; do echo "$label,$answer"; done < $MARTLET_DATASET; } \
        > $MARTLET_OUTPUT/predictions.csv
        """

    /// Version 1 always says 0, version 2 always says 1; most labels are 1.
    private func prepared(_ labels: String = "1\n1\n1\n0\n") async throws -> (Judge, Digest) {
        let judge = try Judge()
        try await judge.register(1, ["accuracy": 0.99], artifact: try await judge.pack(["answer": "0"]))
        try await judge.register(2, ["accuracy": 0.01], artifact: try await judge.pack(["answer": "1"]))
        try await register(judge, 3, labels: labels)
        return (judge, try await judge.pack(["score.sh": Self.score, "data/own.txt": "0\n0\n"]))
    }

    private func compare(
        _ judge: Judge, _ snapshot: Digest, _ more: [String: JSONValue] = [:], variables: [String: String] = [:]
    ) async throws -> StepResult {
        try await ending(judge, snapshot, more, variables: variables).result
    }

    private func ending(
        _ judge: Judge, _ snapshot: Digest, _ more: [String: JSONValue] = [:], variables: [String: String] = [:]
    ) async throws -> StepEnding {
        var work = asking(judge, snapshot, more)
        work.variables.merge(variables) { $1 }
        return try await judge.step.perform(work)
    }

    private func asking(_ judge: Judge, _ snapshot: Digest, _ more: [String: JSONValue] = [:]) -> StepWork {
        let with: [String: JSONValue] = [
            "challenger": 2, "champion": 1, "metric": "accuracy", "better": "higher",
            "against": ["dataset": "reference", "label": "label"], "score": "sh score.sh",
        ]
        var work = work("evaluate/compare", .object(with.merging(more) { $1 }), snapshot: snapshot)
        work.variables = ["COUNT": judge.paths.root + "/count"]
        return work
    }

    private func scoring(_ judge: Judge, _ work: StepWork) -> Scoring {
        Scoring(work: work, store: judge.store, artifacts: judge.artifacts, paths: judge.paths, own: judge.step.own)
    }

    /// A data set's next version.
    private func register(_ judge: Judge, _ version: Int, labels: String) async throws {
        let digest = try await judge.pack(["labels.txt": labels])
        try await judge.tell(
            DatasetRegistered(
                project: "churn", dataset: DatasetReference(name: "reference", version: version, digest: digest),
                files: ["labels.txt"], size: 1, path: "data/sample", run: "r"))
    }

    private func cleanings(_ judge: Judge) async throws -> Int {
        try await judge.store.dueIntents(
            at: Timestamp(milliseconds: .max), kinds: [TestStep.cleaning], limit: 10
        ).due.count
    }

    @Test func `S4-10 both are scored on the same data, whatever their training reported`() async throws {
        let (judge, snapshot) = try await prepared()
        let result = try await compare(judge, snapshot)
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        #expect(result.outputs["challenger_value"]?.double == 0.75)
        #expect(result.outputs["champion_value"]?.double == 0.25)
        #expect(result.outputs["dataset"] == "reference:3")
        let decided = try await judge.said(EvaluationDecided.self)
        #expect(decided.first?.dataset?.version == 3)
        #expect(try String(contentsOfFile: judge.paths.root + "/count", encoding: .utf8) == "challenger\nchampion\n")
        // Their folders go once the decision stands.
        #expect(try await cleanings(judge) == 2)
    }

    @Test func `S0-18 the same step again neither scores again nor decides again`() async throws {
        let (judge, snapshot) = try await prepared()
        let first = try await compare(judge, snapshot)
        #expect(try await compare(judge, snapshot).outputs == first.outputs)
        #expect(try await judge.said(EvaluationDecided.self).count == 1)
        #expect(try String(contentsOfFile: judge.paths.root + "/count", encoding: .utf8) == "challenger\nchampion\n")
    }

    @Test func `S4-10 both are scored on the version that is named, also when the data set grew between two attempts`()
        async throws
    {
        let (judge, snapshot) = try await prepared()
        let work = asking(judge, snapshot)
        let question = try await judge.store.read { db in try Question(work, in: db) }
        // The evaluator dies when the first of both has been scored.
        let scoring = scoring(judge, work)
        let request = try #require(question.input.against)
        let earlier = try await scoring.dataset(request)
        _ = try await scoring.score(request, .challenger, question.challenger, on: earlier)
        try await register(judge, 4, labels: "0\n0\n0\n1\n")
        let result = try await compare(judge, snapshot)
        #expect(result.outputs["dataset"] == "reference:4")
        #expect(result.outputs["challenger_value"]?.double == 0.25)
        #expect(result.outputs["champion_value"]?.double == 0.75)
        #expect(try await cleanings(judge) == 3)
    }

    @Test func `a scoring that a dead evaluator left running, and nobody asks for any more, ends with the step`()
        async throws
    {
        let (judge, snapshot) = try await prepared()
        let item = "run/job/step/1/challenger-0123456789abcdef"
        let folder = TestFolder(work: judge.paths.work, item: item)
        try await folder.prepare(snapshot: nil, model: nil, artifacts: judge.artifacts)
        let process = try await TestProcess(item: item, folder: folder, store: judge.store).begin(
            argv: ["/bin/sh", "-ec", "sleep 778"],
            environment: ["PATH": "/usr/bin:/bin", ProcessVariables.marker: folder.root],
            log: judge.paths.root + "/left.log")
        #expect(try await compare(judge, snapshot).outcome == .succeeded)
        try #require(ProcessTable.find(environment: ProcessVariables.marker, is: folder.root).isEmpty)
        _ = try await process.wait()
    }

    /// Version 3 takes version 1's place while the first of both is scored.
    private func compareWhileChampionMoves(
        _ judge: Judge, _ snapshot: Digest, score: String, _ more: [String: JSONValue] = [:]
    ) async throws -> StepResult {
        try await judge.stage(1, "production")
        let gate = judge.paths.root + "/gate"
        #expect(mkfifo(gate, 0o600) == 0)
        let command = "test -e \(gate).open || { read line < \(gate); touch \(gate).open; }; \(score)"
        let with: [String: JSONValue] = ["champion": "stage=production", "score": .string(command)]
        async let result = compare(judge, snapshot, with.merging(more) { $1 })
        // Opening blocks until the first scoring reads: by then both were looked up.
        let writing = try await FileQueue().run { try FileHandle(forWritingTo: URL(fileURLWithPath: gate)) }
        try await judge.stage(3, "production", replaced: [StageMove(version: 1, from: "production", to: "surpassed")])
        try writing.write(contentsOf: Data("go\n".utf8))
        try writing.close()
        return try await result
    }

    @Test func `E13 whoever becomes champion while both are scored is the one to beat`() async throws {
        let (judge, snapshot) = try await prepared()
        try await judge.register(3, artifact: try await judge.pack(["answer": "1", "three": ""]))
        let result = try await compareWhileChampionMoves(judge, snapshot, score: "sh score.sh")
        #expect(result.outputs["champion"] == 3)
        #expect(result.outputs["reason"] == "tie")
        #expect(try await judge.said(EvaluationDecided.self).count == 1)
    }

    @Test func `E13 what cannot be held against a former champion is asked of the new one`() async throws {
        let (judge, snapshot) = try await prepared()
        try await judge.register(3, artifact: try await judge.pack(["answer": "0", "three": ""]))
        // Version 1 answers one row more than it was asked: its predictions pair with nobody's.
        let score = """
            sh score.sh
            test $MARTLET_ROLE = challenger || test -e $MARTLET_MODEL/three \
            || echo 1,1 >> $MARTLET_OUTPUT/predictions.csv
            """
        let result = try await compareWhileChampionMoves(judge, snapshot, score: score, ["significance": "mcnemar"])
        #expect(result.outputs["champion"] == 3, "\(result.message ?? "")")
        #expect(result.outputs["reason"] == "not_significant")
    }

    @Test func `what is asked of the numbers is answered before the decision, without a database`() async throws {
        let (judge, snapshot) = try await prepared(String(repeating: "1\n", count: 30) + "0\n")
        let work = asking(judge, snapshot, ["significance": "mcnemar"])
        let question = try await judge.store.read { db in try Question(work, in: db) }
        let evidence = try await Evidence(
            of: question, scoring: scoring(judge, work), artifacts: judge.artifacts)
        let judged = try question.judge(evidence)
        #expect(judged.conclusion.gates?.map(\.kind) == ["metric", "significance"])
        let decision = question.decide(judged, evidence, bypass: nil)
        #expect(decision.winner == .challenger)
        #expect(decision.inputs.champion?.value == judged.champion)
    }

    @Test func `S4-12 both numbers are logged under the names that the project gives them`() async throws {
        let names: [String: JSONValue] = [
            "log_as": [
                "run_name": "staging_vs_prod_comparison",
                "prefix": ["challenger": "staging_", "champion": "production_"],
            ]
        ]
        let (judge, snapshot) = try await prepared()
        let result = try await compare(judge, snapshot, names)
        #expect(result.outputs["metrics"] == ["staging_accuracy": 0.75, "production_accuracy": 0.25])
        // The first model has nobody beside it, and no gate that would know its number.
        let (first, other) = try await prepared()
        let alone = try await compare(
            first, other,
            names.merging(["champion": "stage=production", "significance": "mcnemar"]) { $1 })
        #expect(alone.outputs["metrics"] == ["staging_accuracy": 0.75])
    }

    @Test func `E6 files of the commit are a data set too`() async throws {
        let (judge, snapshot) = try await prepared()
        let result = try await compare(judge, snapshot, ["against": ["dataset": "data/own.txt"]])
        #expect(result.outcome == .notPromoted)
        #expect(result.outputs["champion_value"]?.double == 1)
        #expect(result.outputs["dataset"] == "data/own.txt")
    }

    @Test(
        arguments: [
            (["against": ["dataset": "nowhere"]], "there is no data set 'nowhere'"),
            (["against": ["dataset": "reference:9"]], "there is no data set 'reference:9' (registered: reference)"),
            (["against": ["dataset": "../x"]], "there is no data set '../x'"), (["score": "exit 3"], "exit code 3"),
            (["score": "true"], "wrote neither"), (["score": ""], "with.score is missing"),
            (["score": "echo x > $MARTLET_OUTPUT/predictions.csv"], "need the columns label and prediction"),
        ] as [([String: JSONValue], String)])
    func `C-11 what cannot be scored is an error and no decision`(
        _ more: [String: JSONValue], _ expected: String
    ) async throws {
        let (judge, snapshot) = try await prepared()
        let result = try await compare(judge, snapshot, more)
        #expect(result.outcome == .failed)
        #expect(result.message?.contains(expected) == true, "\(result.message ?? "")")
        #expect(try await judge.said(EvaluationDecided.self).isEmpty)
    }

    @Test func `what a scoring said before it failed can be read, and its folder goes`() async throws {
        let (judge, snapshot) = try await prepared()
        let ending = try await ending(judge, snapshot, ["score": "echo why; exit 3"])
        #expect(ending.result.outcome == .failed)
        #expect(try await judge.artifacts.read(try #require(ending.result.log)) == Data("why\n".utf8))
        let roots = TestFolder.roots(below: "run/job/step/1", work: judge.paths.work)
        #expect(roots.count == 1)
        try await judge.store.write { tx in try ending.commit(tx) }
        #expect(try await cleanings(judge) == 1)
        let processes = try await judge.store.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM test_run") }
        #expect(processes == 0)
    }

    @Test func `X3 metrics that the command writes count, zero is one of them and NaN is none`() async throws {
        let (judge, snapshot) = try await prepared()
        let zero =
            #"test $MARTLET_ROLE = champion && v=0.0 || v=0.5; echo "{\"accuracy\": $v}" > $MARTLET_OUTPUT/metrics.json"#
        #expect(try await compare(judge, snapshot, ["score": .string(zero)]).outputs["champion_value"]?.double == 0)
        let (other, commit) = try await prepared()
        let missing = zero.replacing("0.0", with: "NaN")
        #expect(
            try await compare(other, commit, ["score": .string(missing)]).outputs["reason"] == "missing_champion_metric"
        )
    }

    @Test func `S3-14 McNemar works on what was scored afresh`() async throws {
        let (judge, snapshot) = try await prepared(String(repeating: "1\n", count: 30) + "0\n")
        let result = try await compare(judge, snapshot, ["significance": "mcnemar"])
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        let gates = try #require(try await judge.said(EvaluationDecided.self).first?.gates)
        #expect(gates.map(\.kind) == ["metric", "significance"])
        #expect(gates.last?.rows == 31)
    }

    @Test func `S3-14 predictions that training stored are compared row by row`() async throws {
        let judge = try Judge()
        func predictions(_ right: Int) async throws -> Digest {
            let rows = (0..<60).map { "1,\($0 < right ? 1 : 0)" }
            return try await judge.artifacts.put(Data((["label,prediction"] + rows).joined(separator: "\n").utf8))
        }
        for (name, right) in [("old", 30), ("new", 55)] {
            try await judge.tell(
                TrainingFinished(
                    trainingRun: name, run: "run", outcome: .succeeded, metrics: [:], params: [:], tags: [:],
                    seconds: 1, predictions: try await predictions(right)))
        }
        try await judge.tell(
            ModelRegistered(
                model: "churn", version: 1, trainingRun: "old",
                artifact: ModelArtifact(digest: Digest(of: Data()), size: 0, files: []), metrics: [:], params: [:],
                tags: [:], predictions: try await predictions(30)))
        let result = try await judge.compare([
            "challenger": ["run": "new"], "champion": 1, "metric": "accuracy", "better": "higher",
            "significance": "mcnemar",
        ])
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        #expect(result.outputs["champion_value"]?.double == 0.5)
    }

    @Test func `S3-15 metrics of the originating runs, of the tag, or as registered`() async throws {
        let judge = try Judge()
        try await judge.train("t1", ["mse": 3.0])
        try await judge.train("new", ["mse": 2.0])
        try await judge.register(1, run: "t1", ["mse": 1.0], tags: ["mse": "2.5"])
        func champion(_ source: String, item: String) async throws -> Double? {
            try await judge.compare(
                ["challenger": ["run": "new"], "champion": 1, "metric_source": .string(source)], item: item
            ).outputs["champion_value"]?.double
        }
        #expect(try await champion("registered", item: "a") == 1)
        #expect(try await champion("tag", item: "b") == 2.5)
        #expect(try await champion("run", item: "c") == 3)
        try await judge.register(3, ["mse": 1.0], tags: ["rmse": "2.5", "r2": "0.5", "owner": "ada"])
        let untagged = try await judge.compare(
            ["challenger": ["run": "new"], "champion": 3, "metric_source": "tag"], item: "e")
        #expect(untagged.message?.contains("its metrics are: r2, rmse.") == true, "\(untagged.message ?? "")")
        try await judge.register(2, run: "gone", ["mse": 1.0])
        let without = try await judge.compare(
            ["challenger": ["run": "new"], "champion": 2, "metric_source": "run"], item: "d")
        #expect(without.outcome == .failed)
        #expect(without.message?.contains("has no training run whose metrics could be read") == true)
    }
}
