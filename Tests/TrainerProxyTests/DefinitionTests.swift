import Artifacts
import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import TrainerProxy

struct NamedEnvironmentTests {
    private static let file = "envs/base/environment.yml"

    private func text(version: String = "1", more: String = "") -> String { "name: base\nversion: \(version)\n\(more)" }

    private func ensure(
        _ workshop: Workshop, _ files: [String: String], _ more: [String: JSONValue] = [:], run: String = "run-1",
        verb: String = "env/ensure"
    ) async throws -> StepResult {
        let with: [String: JSONValue] = ["files": "envs/*/environment.yml"]
        return try await workshop.perform(
            workshop.work(
                verb, .object(with.merging(more) { $1 }), run: run, snapshot: try await workshop.snapshot(files)))
    }

    @Test func `S3-5 what is missing is registered, by name and by version`() async throws {
        let workshop = try Workshop()
        #expect(try await ensure(workshop, [Self.file: text()]).outcome == .succeeded)
        #expect(try await ensure(workshop, [Self.file: text(version: "1.10")], run: "run-2").outcome == .succeeded)
        let registered = try await workshop.events(EnvironmentRegistered.self).map(\.environment.version)
        #expect(registered == ["1", "1.10"])
        // The same again, with other white space and blank lines.
        let again = try await ensure(workshop, [Self.file: "name:   base\n\nversion:   1  \n"], run: "run-3")
        #expect(again.outcome == .succeeded)
        #expect(again.outputs["environments"]?[0]?["standing"] == "same")
        #expect(try await workshop.events(EnvironmentRegistered.self).count == 2)
    }

    @Test func `S3-4 another definition under the same version is always an error`() async throws {
        let workshop = try Workshop()
        _ = try await ensure(workshop, [Self.file: text()])
        let ways: [[String: JSONValue]] = [[:], ["validate_only": true, "fail_on_missing": false]]
        let words =
            "Environment file definition doesn't match the one registered. Please increase version to get it created"
        for (number, more) in ways.enumerated() {
            let result = try await ensure(
                workshop, [Self.file: text(more: "image: other\n")], more, run: "other-\(number)")
            #expect(result.outcome == .failed)
            #expect(result.message?.hasSuffix(words) == true)
        }
        #expect(try await workshop.events(EnvironmentRegistered.self).count == 1)
    }

    @Test func `S3-4 validation names what is missing, and only notes it where that is asked for`() async throws {
        let workshop = try Workshop()
        let unknown = try await ensure(workshop, [Self.file: text()], ["validate_only": true], run: "a")
        #expect(unknown.outcome == .failed)
        #expect(unknown.message?.hasSuffix("Environment 'base' doesn't exist in the workspace.") == true)
        let noted = try await ensure(
            workshop, [Self.file: text()], ["validate_only": true, "fail_on_missing": false], run: "b")
        #expect(noted.outcome == .succeeded)
        #expect(noted.message?.hasSuffix("Environment 'base' doesn't exist in the workspace.") == true)
        #expect(try await workshop.events(EnvironmentRegistered.self).isEmpty)
        _ = try await ensure(workshop, [Self.file: text()], run: "c")
        let version = try await ensure(workshop, [Self.file: text(version: "2")], ["validate_only": true], run: "d")
        #expect(version.message?.hasSuffix("Environment 'base' exists, but not in the required version (2).") == true)
    }

    @Test func `S3-6 all are checked before one fails the step, and then none is registered`() async throws {
        let workshop = try Workshop()
        let files = [
            Self.file: text(), "envs/broken/environment.yml": "version: 1\n", "envs/odd/environment.yml": "- a\n",
            "envs/conda/environment.yml": "name: c\nversion: 1\nconda_file: conda.yml\n",
            "envs/conda/conda.yml": "dependencies: [python=3.9, numpy=1.2]\n",
        ]
        let result = try await ensure(workshop, files)
        #expect(result.outcome == .failed)
        let message = try #require(result.message)
        #expect(message.contains("envs/broken/environment.yml: the environment has no name"))
        #expect(message.contains("envs/odd/environment.yml:1:1: a map is expected"))
        #expect(message.contains("envs/conda/conda.yml: 'numpy=1.2' is a package of conda"))
        #expect(try await workshop.events(EnvironmentRegistered.self).isEmpty)
    }

    @Test func `S3-3 env/build builds every environment, and one that fails does not keep the others from it`()
        async throws
    {
        let workshop = try Workshop()
        let files = [
            "envs/bad/environment.yml": "name: bad\nversion: 1\npip: ['no such package!']\n",
            "envs/good/environment.yml": "name: good\nversion: 1\npython: python3\n",
        ]
        let result = try await ensure(workshop, files, verb: "env/build")
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("environment 'bad' could not be built") == true)
        #expect(result.message?.contains("environment 'good' could not be built") == false)
        #expect(try await workshop.events(EnvironmentBuilt.self).count == 1)
        // A build registers nothing.
        #expect(try await workshop.events(EnvironmentRegistered.self).isEmpty)
    }

    @Test
    func `S2-31 the one environment that is ensured is what the job works in, and its name goes with the training`()
        async throws
    {
        let workshop = try Workshop()
        let files = [Self.file: text(more: "python: python3\n")]
        let ensured = try await ensure(workshop, files)
        #expect(ensured.outcome == .succeeded, "\(ensured.message ?? "")")
        let result = try await workshop.perform(
            workshop.work(
                "train/run", ["command": "test -n \"$VIRTUAL_ENV\""], step: "t",
                snapshot: try await workshop.snapshot(files)))
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        let finished = try #require(try await workshop.events(TrainingFinished.self).first)
        #expect(finished.environmentVersion?.name == "base")
        #expect(finished.environmentVersion?.version == "1")
        #expect(finished.environment?.text == ensured.outputs["environment"]?.string)
    }

    @Test func `what a definition names lies beside its file, and never outside of the repository`() throws {
        #expect(
            try EnvironmentDefinition.path("../../requirements.txt", beside: "envs/base/e.yml") == "requirements.txt")
        #expect(try EnvironmentDefinition.path("./conda.yml", beside: "envs/base/e.yml") == "envs/base/conda.yml")
        for path in ["../../../x", "/etc/passwd", "..", ""] {
            #expect(throws: DefinitionProblem.self) { try EnvironmentDefinition.path(path, beside: "envs/e.yml") }
        }
    }

    @Test(arguments: ["../x.yml", "/etc/*.yml", "nowhere/*.yml"])
    func `a pattern that leads out or matches nothing is refused`(_ pattern: String) async throws {
        let workshop = try Workshop()
        let result = try await ensure(workshop, [Self.file: text()], ["files": .string(pattern)])
        #expect(result.outcome == .failed)
    }
}

struct DatasetTests {
    private static let files = [
        "data/patients/dataset.yml": "name: patients\ndescription: of the trial\n",
        "data/patients/sample/rows.csv": "a,b\n1,2\n", "more/rows.csv": "a,b\n3,4\n",
    ]

    private func ensure(
        _ workshop: Workshop, _ files: [String: String] = DatasetTests.files, _ with: JSONValue? = nil,
        run: String = "run-1"
    ) async throws -> StepResult {
        try await workshop.perform(
            workshop.work(
                "dataset/ensure", with ?? ["files": "data/*/dataset.yml", "initialize_from": "sample"], run: run,
                snapshot: try await workshop.snapshot(files)))
    }

    private func train(
        _ workshop: Workshop, _ dataset: JSONValue, _ command: String = "cat $MARTLET_DATASET", step: String = "t"
    ) async throws -> StepResult {
        try await workshop.perform(
            workshop.work(
                "train/run", ["command": .string(command), "dataset": dataset], step: step,
                snapshot: try await workshop.snapshot(Self.files)))
    }

    @Test func `S3-2 a data set that is missing is made of its sample, and then left alone`() async throws {
        let workshop = try Workshop()
        let first = try await ensure(workshop)
        #expect(first.outcome == .succeeded, "\(first.message ?? "")")
        #expect(first.outputs["version"] == 1)
        #expect(first.outputs["registered"] == true)
        var changed = Self.files
        changed["data/patients/sample/rows.csv"] = "a,b\n9,9\n"
        let again = try await ensure(workshop, changed, run: "run-2")
        #expect(again.outputs["version"] == 1)
        #expect(again.outputs["registered"] == false)
        let said = try await workshop.events(DatasetRegistered.self)
        #expect(said.map(\.dataset.version) == [1])
        #expect(said.first?.files == ["rows.csv"])
        #expect(said.first?.description == "of the trial")
    }

    @Test func `S3-2 a missing sample is an error that names it, and no other data set is registered`() async throws {
        let workshop = try Workshop()
        var files = Self.files
        files["data/other/dataset.yml"] = "name: other\n"
        let result = try await ensure(workshop, files)
        #expect(result.outcome == .failed)
        #expect(result.message == "Folder data/other/sample not found.")
        #expect(try await workshop.events(DatasetRegistered.self).isEmpty)
    }

    @Test func `S2-7 training reads the newest version unless it names one, and is tagged with it`() async throws {
        let workshop = try Workshop()
        _ = try await ensure(workshop)
        let result = try await train(workshop, "patients")
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        #expect(try await workshop.log(result) == "a,b\n1,2\n")
        #expect(result.outputs["dataset_id"] == "patients:1")
        let finished = try #require(try await workshop.events(TrainingFinished.self).first)
        #expect(finished.dataset?.version == 1)
        #expect(finished.tags["dataset_id"] == "patients:1")
    }

    @Test func `S2-7 a file that is given becomes a new version, the same file again does not`() async throws {
        let workshop = try Workshop()
        _ = try await ensure(workshop)
        let given: JSONValue = ["name": "patients", "version": "latest", "path": "more/rows.csv"]
        #expect(try await train(workshop, given).outputs["dataset_id"] == "patients:2")
        #expect(try await train(workshop, given, step: "u").outputs["dataset_id"] == "patients:2")
        let none: JSONValue = ["name": "patients", "path": "none"]
        #expect(try await train(workshop, none, step: "v").outputs["dataset_id"] == "patients:2")
        let first: JSONValue = ["name": "patients", "version": 1]
        #expect(try await train(workshop, first, step: "w").outputs["dataset_id"] == "patients:1")
    }

    @Test(
        arguments: ["nobody", "patients:7", "patients:x", ["version": 1], ["name": "patients", "path": "../x"]]
            as [JSONValue])
    func `S2-7 data that is not there fails the step before anything runs`(_ dataset: JSONValue) async throws {
        let workshop = try Workshop()
        _ = try await ensure(workshop)
        let result = try await train(workshop, dataset)
        #expect(result.outcome == .failed)
        #expect(try await workshop.events(TrainingStarted.self).isEmpty)
    }

    @Test func `predictions that training writes are kept, and told`() async throws {
        let workshop = try Workshop()
        let result = try await workshop.perform(
            workshop.work("train/run", ["command": "echo label,prediction > $MARTLET_OUTPUT/predictions.csv"]))
        let digest = try #require(try await workshop.events(TrainingFinished.self).first?.predictions)
        #expect(result.outputs["predictions"] == .string(digest.text))
        #expect(try await workshop.context.artifacts.read(digest) == Data("label,prediction\n".utf8))
    }
}

struct CheckTests {
    private static let good = #"<testsuite><testcase classname="lint" name="a"/></testsuite>"#
    private static let bad = #"<testsuite><testcase name="b"><failure message="E501 too long"/></testcase></testsuite>"#

    private func publish(_ files: [String: String], _ more: [String: JSONValue] = [:]) async throws -> (
        StepResult, [ChecksPublished]
    ) {
        let workshop = try Workshop()
        let with: [String: JSONValue] = ["junit": "*-results.xml", "title": "Linting & Unit tests"]
        let result = try await workshop.perform(
            workshop.work(
                "checks/publish", .object(with.merging(more) { $1 }), snapshot: try await workshop.snapshot(files)))
        return (result, try await workshop.events(ChecksPublished.self))
    }

    @Test func `S1-2 reports are counted and told together, and fail the step only where that is asked for`()
        async throws
    {
        let files = ["lint-results.xml": Self.good, "unit-results.xml": Self.bad, "other.xml": Self.bad]
        let (result, said) = try await publish(files)
        #expect(result.outcome == .succeeded)
        #expect(said.first?.status == "failed")
        #expect(said.first?.passed == 1)
        #expect(said.first?.failed == 1)
        #expect(said.first?.reports.keys.sorted() == ["lint-results.xml", "unit-results.xml"])
        #expect(result.message?.hasPrefix("Linting & Unit tests: 1 passed, 1 failed") == true)
        #expect(result.message?.contains("b: E501 too long") == true)
        #expect(try await publish(files, ["fail_on_failed_tests": true]).0.outcome == .failed)
        #expect(
            try await publish(["a-results.xml": Self.good], ["fail_on_failed_tests": true]).0.outcome == .succeeded)
    }

    @Test func `S1-2 a report that cannot be read has not passed, and none at all is an error`() async throws {
        let (result, said) = try await publish(["a-results.xml": "<html/>"], ["fail_on_failed_tests": true])
        #expect(result.outcome == .failed)
        #expect(said.first?.status == "failed")
        #expect(try await publish(["a.txt": ""]).0.outcome == .failed)
    }
}

struct DownloadTests {
    private func workshop() async throws -> Workshop {
        let workshop = try Workshop()
        for (version, text) in [(1, "old"), (2, "new")] {
            let digest = try await workshop.snapshot([
                "raw/model.pkl": text, "raw/requirements.txt": "numpy", "raw/notes.md": "n",
            ])
            try await workshop.handle(
                ModelRegistered(
                    model: "churn", version: version, artifact: ModelArtifact(digest: digest, size: 1, files: []),
                    metrics: [:], params: [:], tags: ["owner": "team-\(version)"]))
        }
        try await workshop.handle(
            ModelStageChanged(model: "churn", version: 1, from: nil, to: "Production", replaced: [], reason: "r"))
        return workshop
    }

    private func download(_ workshop: Workshop, _ with: JSONValue) async throws -> (StepResult, StepFolders) {
        let work = workshop.work("registry/download", with, snapshot: try await workshop.snapshot(["a.txt": "a"]))
        return (try await workshop.perform(work), try await workshop.backend.copies.prepare(work))
    }

    @Test func `S4-14 the named files of the version in production are put where the image is built`() async throws {
        let workshop = try await workshop()
        let (result, folders) = try await download(
            workshop,
            [
                "model": "churn", "select": "stage=Production", "path": "raw", "to": "service/models",
                "files": ["model.pkl", "requirements.txt"],
            ])
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        #expect(result.outputs["version"] == 1)
        #expect(result.outputs["files"] == ["service/models/model.pkl", "service/models/requirements.txt"])
        let text = try String(contentsOfFile: folders.source + "/service/models/model.pkl", encoding: .utf8)
        #expect(text == "old")
        // Its folder goes with it.
        withExtendedLifetime(workshop) {}
    }

    @Test func `a number that a restored registry gives again means the new version's files`() async throws {
        let workshop = try await workshop()
        let digest = try await workshop.snapshot(["raw/model.pkl": "again"])
        try await workshop.handle(
            ModelRegistered(
                model: "churn", version: 1, artifact: ModelArtifact(digest: digest, size: 1, files: []), metrics: [:],
                params: [:], tags: [:]))
        let former: [VersionSelector] = ["stage=Production", "tag:owner=team-1"].compactMap { (text: String) in
            VersionSelector(text)
        }
        #expect(former.count == 2)
        let known = try await workshop.context.store.read { db in
            try former.compactMap { try VersionQueries.find($0, of: "churn", in: db)?.version }
        }
        #expect(known.isEmpty)
        let (result, folders) = try await download(
            workshop, ["model": "churn", "version": 1, "path": "raw", "to": "m"])
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        #expect(try String(contentsOfFile: folders.source + "/m/model.pkl", encoding: .utf8) == "again")
        withExtendedLifetime(workshop) {}
    }

    @Test(
        arguments: [
            (["model": "churn", "select": "latest"], 2), (["model": "churn", "select": "tag:owner=team-1"], 1),
            (["model": "churn", "version": 2, "path": "raw"], 2),
        ] as [(JSONValue, Int)])
    func `S3-23 a version is named by number, newest, stage or tag`(_ with: JSONValue, _ version: Int) async throws {
        let (result, _) = try await download(try await workshop(), with)
        #expect(result.outputs["version"] == .int(version))
    }

    @Test(
        arguments: [
            ["model": "churn", "select": "stage=Staging"], ["select": "latest"], ["model": "churn"],
            ["model": "churn", "select": "latest", "path": "cooked"],
            ["model": "churn", "select": "latest", "path": "raw", "files": ["missing.pkl"]],
            ["model": "churn", "select": "latest", "to": "../out"],
        ] as [JSONValue])
    func `S4-14 what is not there, or leads out, fails the step`(_ with: JSONValue) async throws {
        let (result, _) = try await download(try await workshop(), with)
        #expect(result.outcome == .failed)
    }
}
