import Artifacts
import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import TrainerProxy

struct TrainVerbTests {
    @Test func `a training run is announced at its start and with its result`() async throws {
        let shop = try Workshop()
        let script = """
            mkdir $MARTLET_OUTPUT/model; echo weights > $MARTLET_OUTPUT/model/weights.bin
            echo "{\\"mse\\": NaN, \\"r2\\": 0.5}" > $MARTLET_OUTPUT/metrics.json
            echo "{\\"alpha\\": $MARTLET_PARAM_ALPHA}" > $MARTLET_OUTPUT/params.json
            cat $MARTLET_PARAMETERS
            """
        var work = shop.work(
            "train/run",
            [
                "backend": "local", "script": .string(script), "parameters": ["alpha": 0.5, "seed": 7],
                "tags": ["BuildId": 9],
            ])
        work.after = [LogPosition(source: .evaluator, epoch: 1, seq: 4)]
        let result = try await shop.perform(work)
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        #expect(result.outputs["run_id"] == "run-1.j.s")
        #expect(result.outputs["metrics"] == ["mse": "NaN", "r2": 0.5])
        #expect(try await shop.log(result) == #"{"alpha":0.5,"seed":7}"# + "\n")
        let started = try await shop.events(TrainingStarted.self)
        #expect(started.map(\.trainingRun) == ["run-1.j.s"])
        #expect(started.first?.git?.sha == "c0ffee")
        let build = BuildReference(id: "run-1", number: 1, url: "http://x/run-1", pipeline: "P")
        #expect(started.first?.build == build)
        #expect(started.first?.after == work.after)
        let finished = try #require(try await shop.events(TrainingFinished.self).first)
        #expect(finished.outcome == .succeeded)
        #expect(finished.params == ["alpha": "0.5", "seed": "7"])
        #expect(finished.tags == ["BuildId": "9"])
        #expect(finished.model?.files == ["weights.bin"])
        #expect(result.outputs["model"]?["digest"]?.string == finished.model?.digest.text)
    }

    @Test func `S3-9 a failed training is announced as failed`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(shop.work("train/run", ["command": "echo no data; exit 1"]))
        #expect(result.outcome == .failed)
        let finished = try await shop.events(TrainingFinished.self)
        #expect(finished.map(\.outcome) == [.failed])
        #expect(finished.first?.message == "exit code 1\nno data")
    }

    @Test func `metrics that cannot be read fail the step with file and reason`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(
            shop.work("train/run", ["command": "echo '{\"mse\": oops}' > $MARTLET_OUTPUT/metrics.json"]))
        #expect(result.outcome == .failed)
        #expect(result.message?.hasPrefix("metrics.json: not JSON") == true)
    }

    @Test func `no model and no metrics are a result too`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(shop.work("train/run", ["command": "true"]))
        #expect(result.outcome == .succeeded)
        #expect(result.outputs["model"] == .null)
        #expect(result.outputs["metrics"] == .object([:]))
    }

    @Test func `a back end that is not here is named`() async throws {
        let shop = try Workshop()
        let result = try await shop.perform(shop.work("train/run", ["backend": "aml", "command": "true"]))
        #expect(result.message?.contains("no back end 'aml'") == true)
    }
}

struct EnvironmentVerbTests {
    @Test func `R8 S2-31 an environment is built once, used by later steps, and reused by its content`() async throws {
        let shop = try Workshop()
        let snapshot = try await shop.snapshot(["requirements.txt": "# nothing yet\n"])
        func ensure(_ run: String) -> StepWork {
            shop.work("env/ensure", ["requirements": "requirements.txt"], run: run, step: "env", snapshot: snapshot)
        }
        async let first = shop.perform(ensure("run-1"))
        async let second = shop.perform(ensure("run-2"))
        let results = try await [first, second]
        #expect(results.map(\.outcome) == [.succeeded, .succeeded], "\(results.map(\.message))")
        #expect(Set(results.map { $0.outputs["reused"] }) == [true, false])
        #expect(results[0].outputs["environment"] == results[1].outputs["environment"])
        #expect(try await shop.events(EnvironmentBuilt.self).count == 1)
        #expect(try await shop.events(EnvironmentReused.self).count == 1)
        let path = try #require(results[0].outputs["path"]?.string)
        let use = try await shop.perform(shop.script("python -c 'import sys; print(sys.prefix)'; echo $VIRTUAL_ENV"))
        #expect(try await shop.log(use) == "\(path)\n\(path)\n")
    }

    @Test func `a half-built environment is built again`() async throws {
        let shop = try Workshop()
        let snapshot = try await shop.snapshot(["requirements.txt": ""])
        let work = shop.work("env/build", ["requirements": "requirements.txt"], step: "one", snapshot: snapshot)
        let path = try #require(try await shop.perform(work).outputs["path"]?.string)
        try FileManager.default.removeItem(atPath: path + "/.complete")
        try shop.write("half", to: path + "/leftover")
        let again = shop.work("env/build", ["requirements": "requirements.txt"], step: "two", snapshot: snapshot)
        #expect(try await shop.perform(again).outputs["reused"] == false)
        #expect(!FileManager.default.fileExists(atPath: path + "/leftover"))
    }

    @Test func `a requirement that cannot be installed fails with pip's words, and nothing counts as built`()
        async throws
    {
        let shop = try Workshop { $0.machine["PIP_NO_INDEX"] = "1" }
        let snapshot = try await shop.snapshot(["requirements.txt": "no-such-package==1.0\n"])
        let work = shop.work("env/ensure", ["requirements": "requirements.txt"], snapshot: snapshot)
        let result = try await shop.perform(work)
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("no-such-package") == true)
        #expect(try await shop.events(EnvironmentBuilt.self).isEmpty)
    }

    @Test func `a missing file or Python is named`() async throws {
        let shop = try Workshop()
        let missing = try await shop.perform(shop.work("env/ensure", ["requirements": "req.txt"], step: "a"))
        #expect(missing.message == "req.txt: there is no such file in the repository")
        let snapshot = try await shop.snapshot(["r.txt": ""])
        let python = try await shop.perform(
            shop.work("env/ensure", ["requirements": "r.txt", "python": "python9"], run: "run-2", snapshot: snapshot))
        #expect(python.message?.contains("python9") == true)
    }
}

struct ArtifactVerbTests {
    private func fetch(_ shop: Workshop, _ with: [String: JSONValue]) async throws -> StepResult {
        let base: [String: JSONValue] = ["pipeline": "Train", "artifact": "model/model.json"]
        return try await shop.perform(
            shop.work("artifact/fetch", .object(base.merging(with) { $1 }), run: "run-9", pipeline: "Deploy"))
    }

    private func publish(_ shop: Workshop, run: String, number: Int, version: JSONValue) async throws {
        let with: JSONValue = ["name": "model", "file": "model.json", "content": ["version": version]]
        let result = try await shop.perform(
            shop.work("artifact/publish", with, run: run, number: number, pipeline: "Train"))
        #expect(result.outcome == .succeeded)
    }

    @Test func `S2-21 S2-22 an artifact is fetched from the latest successful run, or from the run that is named`()
        async throws
    {
        let shop = try Workshop()
        for number in 1...4 { try await publish(shop, run: "t-\(number)", number: number, version: .int(number)) }
        try await shop.finishRun("t-2", number: 2, pipeline: "Train")
        try await shop.finishRun("t-1", number: 1, pipeline: "Train")
        try await shop.finishRun("t-3", number: 3, pipeline: "Train", outcome: .notPromoted)
        try await shop.finishRun("t-4", number: 4, pipeline: "Train", branch: "feature")
        #expect(try await fetch(shop, ["run": "latest", "branch": "main"]).outputs["json"] == ["version": 2])
        #expect(try await fetch(shop, ["run": "latest"]).outputs["json"] == ["version": 4])
        // A fork may call its pipeline like ours.
        try await publish(shop, run: "t-5", number: 5, version: 5)
        try await shop.finishRun("t-5", number: 5, pipeline: "Train", branch: "pull/2")
        #expect(try await fetch(shop, ["run": "latest"]).outputs["json"] == ["version": 4])
        #expect(try await fetch(shop, ["run": "latest", "branch": "pull/2"]).outputs["json"] == ["version": 5])
        #expect(try await fetch(shop, ["run": "t-1"]).outputs["json"] == ["version": 1])
        #expect(try await fetch(shop, ["run": 3]).outputs["json"] == ["version": 3])
        #expect(try await shop.events(ArtifactPublished.self).count == 5)
    }

    @Test func `what is not there is said`() async throws {
        let shop = try Workshop()
        #expect(
            try await fetch(shop, ["branch": "main"]).message?.contains("no successful run on branch 'main'") == true)
        #expect(try await fetch(shop, ["run": "t-7"]).message?.contains("no run 't-7'") == true)
        try await publish(shop, run: "t-1", number: 1, version: 1)
        let other = try await fetch(shop, ["run": "t-1", "artifact": "model/other.json"])
        #expect(other.message?.contains("it published model/model.json") == true)
    }

    @Test func `a file of the working copy is published as it is`() async throws {
        let shop = try Workshop()
        try await shop.perform(shop.script("echo '<xml/>' > report.xml"))
        let result = try await shop.perform(
            shop.work("artifact/publish", ["name": "r", "file": "report.xml", "path": "report.xml"], step: "p"))
        let digest = try #require(result.outputs["digest"]?.string.flatMap { Digest($0) })
        #expect(try await shop.context.artifacts.read(digest) == Data("<xml/>\n".utf8))
        let missing = try await shop.perform(
            shop.work("artifact/publish", ["name": "r", "file": "x", "path": "none.xml"], step: "q"))
        #expect(missing.message?.contains("no file 'none.xml'") == true)
    }

    @Test func `metrics and parameters that no event could hold fail the step and say so`() async throws {
        let shop = try Workshop()
        let script = """
            python3 -c 'import json; print(json.dumps({f"m{i}": i for i in range(1800)}))' > $MARTLET_OUTPUT/metrics.json
            python3 -c 'import json; print(json.dumps({"p": "x" * 20000}))' > $MARTLET_OUTPUT/params.json
            """
        let result = try await shop.perform(shop.work("train/run", ["command": .string(script)]))
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("bytes together") == true, "\(result.message ?? "")")
        let finished = try #require(try await shop.events(TrainingFinished.self).first)
        #expect(finished.outcome == .failed && finished.metrics.isEmpty && finished.params.isEmpty)
    }
}
