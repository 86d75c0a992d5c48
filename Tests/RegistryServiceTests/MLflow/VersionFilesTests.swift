import Artifacts
import Foundation
import Messages
import ServiceKit
import Store
import Testing

@testable import RegistryService

/// A version is made of files that are there, and they are its own from then on.
@Suite struct VersionFilesTests {
    /// What a client downloads that asks for a version by its number, stage or alias.
    private func files(_ door: Door, _ version: String) async throws -> [String: String] {
        let answer = try await door.get("/model-versions/get-download-uri", [("name", "churn"), ("version", version)])
        let folder = (answer.json["artifact_uri"]?.string ?? "").dropFirst("mlflow-artifacts:/".count)
        let listed = try await door.get(MLflowDoor.artifactRoot, [("path", String(folder))])
        var files: [String: String] = [:]
        for file in listed.json["files"]?.array ?? [] {
            let name = file["path"]?.string ?? ""
            let answer = try await door.get("\(MLflowDoor.artifactRoot)/\(folder)/\(name)")
            files[name] = String(decoding: answer.bytes, as: UTF8.self)
        }
        return files
    }

    private func version(_ door: Door, of source: String) async throws -> Door.Answer {
        try await door.post("/model-versions/create", ["name": "churn", "source": .string(source)])
    }

    private func remove(_ door: Door, _ path: String) async throws -> Int {
        try await door.send("DELETE", "\(MLflowDoor.artifactRoot)/\(path)").status
    }

    @Test func `G12 a version's files stay what they were, whatever becomes of its run and its logged model`()
        async throws
    {
        let door = try await Door()
        let artifacts = door.registry.artifacts
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let run = try await door.run()
        let wish: JSONValue = ["experiment_id": "0", "name": "m", "source_run_id": .string(run)]
        let logged = try await door.post("/logged-models", wish).json["model"]?["info"]?["model_id"]?.string ?? ""
        let places = ["0/\(run)/artifacts/model", "0/models/\(logged)/artifacts"]
        for (place, source) in zip(places, ["runs:/\(run)/model", "models:/\(logged)"]) {
            try await door.put(place + "/MLmodel", "as registered")
            #expect(try await version(door, of: source).status == 200)
            try await door.put(place + "/MLmodel", "written over")
            try await door.put(place + "/more", "added")
        }
        for number in ["1", "2"] { #expect(try await files(door, number) == ["MLmodel": "as registered"]) }
        for place in places { #expect(try await remove(door, place) == 200) }
        #expect(try await door.json("DELETE", "/logged-models/\(logged)", [:]).status == 200)
        // A sweep long after takes what nobody refers to any more, and nothing of the versions.
        let report = try await artifacts.sweep(
            grace: .zero, now: Timestamp(Date().addingTimeInterval(3 * 3600)), dryRun: false
        ) { [store = door.registry.store] in
            try await store.references()
        }
        #expect(report.removed.map(\.digest).contains(Digest(of: Data("written over".utf8))))
        for number in ["1", "2"] { #expect(try await files(door, number) == ["MLmodel": "as registered"]) }
        for body in try await door.registry.said(ModelRegistered.self) {
            let folder = door.registry.folder + "/out-\(body.version)"
            try await artifacts.extract(body.artifact.digest, to: folder)
            #expect(try String(contentsOfFile: folder + "/MLmodel", encoding: .utf8) == "as registered")
        }
    }

    @Test func `G12 a version of files that are missing or damaged is refused, and nothing is made`() async throws {
        let door = try await Door()
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let run = try await door.run()
        let (folder, source) = ("0/\(run)/artifacts/model", "runs:/\(run)/model")
        try await door.put(folder + "/MLmodel", "described")
        try await door.put(folder + "/model.pkl", "weights")
        let path = door.registry.artifacts.path(of: Digest(of: Data("weights".utf8)))
        chmod(path, 0o644)
        try Data("WEIGHTS".utf8).write(to: URL(fileURLWithPath: path))
        let damaged = try await version(door, of: source)
        #expect(damaged.code == "INVALID_PARAMETER_VALUE" && damaged.message.contains("is damaged"))
        try FileManager.default.removeItem(atPath: path + ".damaged")
        let missing = try await version(door, of: source)
        #expect(missing.code == "INVALID_PARAMETER_VALUE" && missing.message.contains("not in the store"))
        #expect(try await door.registry.said(ModelRegistered.self).isEmpty)
        try await door.put(folder + "/model.pkl", "weights")
        #expect(try await version(door, of: source).status == 200)
        // A copy is made of the same files.
        try FileManager.default.removeItem(atPath: path)
        let copied = try await version(door, of: "models:/churn/1")
        #expect(copied.code == "INVALID_PARAMETER_VALUE" && copied.message.contains("not in the store"))
        #expect(try await door.registry.said(ModelRegistered.self).count == 1)
    }

    @Test func `G12 files that are deleted while they are hashed make no version: a sweep may take them`()
        async throws
    {
        let door = try await Door()
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let run = try await door.run()
        let (folder, source) = ("0/\(run)/artifacts/model", "runs:/\(run)/model")
        try await door.put(folder + "/MLmodel", "weights")
        // Whoever reads it waits for us.
        let path = door.registry.artifacts.path(of: Digest(of: Data("weights".utf8)))
        try FileManager.default.removeItem(atPath: path)
        #expect(mkfifo(path, 0o600) == 0)
        async let answer = version(door, of: source)
        let writing = try await FileQueue().run { try FileHandle(forWritingTo: URL(fileURLWithPath: path)) }
        #expect(try await remove(door, folder) == 200)
        try writing.write(contentsOf: Data("weights".utf8))
        try writing.close()
        let refused = try await answer
        #expect(refused.status == 503 && refused.message.contains("'MLmodel' was deleted"), "\(refused.json)")
        #expect(try await door.registry.said(ModelRegistered.self).isEmpty)
        let again = try await version(door, of: source)
        #expect(again.code == "INVALID_PARAMETER_VALUE" && again.message.contains("holds no files"))
    }

    @Test func `G12 nobody writes or deletes where a version's files are shown`() async throws {
        let door = try await Door()
        try await door.model("churn")
        #expect(try await files(door, "1") == ["MLmodel": "bytes"])
        for path in ["versions/churn/1/MLmodel", "versions/churn/1", "versions"] {
            #expect(try await remove(door, path) == 403)
            await #expect(throws: (any Error).self) { try await door.put(path, "other") }
        }
        #expect(try await files(door, "1") == ["MLmodel": "bytes"])
    }
}
