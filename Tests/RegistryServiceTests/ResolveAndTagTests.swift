import Foundation
import Messages
import Testing

@testable import RegistryService

@Suite struct ResolveAndTagTests {
    @Test(arguments: [
        ("latest", 3), ("2", 2), ("stage=staged", 2), ("tag:area=a", 3), ("tag:stage=staged", 2), ("area=a", 3),
    ])
    func `S3-23 a selector is a number, latest, a stage or a tag; the newest match counts`(
        _ select: String, _ expected: Int
    ) async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1", "t2", "t3")
        for version in [1, 3] {
            _ = try await registry.perform("registry/tag", ["version": .int(version), "tags": ["area": "a"]])
        }
        _ = try await registry.move(2, to: "staged")
        let result = try await registry.perform("registry/resolve", ["select": .string(select)])
        #expect(result.outputs["version"] == .int(expected))
    }

    @Test func `S0-13 all versions in a stage can be asked for, and a new version is in None`() async throws {
        let registry = try Registry()
        try await registry.declare(mlflow)
        try await registry.versions("t1", "t2", "t3")
        for version in [1, 2] { _ = try await registry.move(version, to: "Staging") }
        let staged = try await registry.perform("registry/resolve", ["select": "stage=Staging", "all": true]).outputs
        #expect(staged["version"] == 2)
        #expect(staged["versions"] == [2, 1])
        let new = try await registry.perform("registry/resolve", ["select": "stage=None"]).outputs
        #expect(new["version"] == 3)
        #expect(new["stage_now"] == "None")
    }

    @Test func `S3-23 current is what an endpoint serves`() async throws {
        let registry = try Registry()
        try await registry.versions("t1", "t2")
        try await registry.tell(
            EndpointChanged(endpoint: "api", url: "u", model: "churn", version: 1, state: "serving"))
        #expect(try await registry.perform("registry/resolve", ["select": "current"]).outputs["version"] == 1)
    }

    @Test func `S2-18 nothing registered ends neutral with exactly the message of the project`() async throws {
        let registry = try Registry()
        try await registry.versions("t1")
        let message = "Model was not registered for this run."
        let with: JSONValue = [
            "select": "tag:BuildId=run", "on_none": "not_promoted", "message": .string(message),
        ]
        let result = try await registry.perform("registry/resolve", with)
        #expect(result.outcome == .notPromoted)
        #expect(result.message == message)
        #expect(result.outputs["version"] == .null)
    }

    @Test(arguments: [("fail", Outcome.failed), ("skip", .skipped), ("not_promoted", .notPromoted)])
    func `S0-13 on_none says how nothing ends`(_ word: String, _ outcome: Outcome) async throws {
        let registry = try Registry()
        try await registry.declare(mlflow)
        try await registry.versions("t1")
        let with: JSONValue = ["select": "stage=Staging", "on_none": .string(word)]
        let result = try await registry.perform("registry/resolve", with)
        #expect(result.outcome == outcome)
        #expect(result.message == "no version of 'churn' is in stage 'Staging'")
    }

    @Test func `S2-5 several matches are an error where exactly one is expected`() async throws {
        let registry = try Registry()
        try await registry.versions("t1", "t2")
        for version in [1, 2] {
            _ = try await registry.perform("registry/tag", ["version": .int(version), "tags": ["build": "9"]])
        }
        let with: JSONValue = ["select": "tag:build=9", "expect": "exactly-one"]
        let result = try await registry.perform("registry/resolve", with)
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("exactly one is expected") == true)
    }

    @Test func `S2-19 json is the content of model.json`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1")
        _ = try await registry.perform("registry/tag", ["version": 1, "tags": ["framework": "ScikitLearn"]])
        let outputs = try await registry.perform("registry/resolve", ["select": "latest"]).outputs
        let file = try Wire.decode(JSONValue.self, from: Data(try #require(outputs["json"]?.string).utf8))
        #expect(
            Set(try #require(file.object).keys)
                == ["createdTime", "framework", "frameworkVersion", "id", "name", "version"])
        #expect(file["id"] == "churn:1")
        #expect(file["version"] == 1)
        #expect(file["framework"] == "ScikitLearn")
        #expect(outputs["stage_now"] == "none")
        #expect(outputs["metrics"] == ["mse": 0.5])
    }

    @Test func `S3-20 the tag stage mirrors the stage and is not set by hand`() async throws {
        let registry = try Registry()
        try await registry.declare(trunk)
        try await registry.versions("t1")
        _ = try await registry.move(1, to: "production")
        let outputs = try await registry.perform("registry/resolve", ["select": "1"]).outputs
        #expect(outputs["tags"]?["stage"] == "production")
        #expect(outputs["stage_now"] == "production")
        let tagged = try await registry.perform("registry/tag", ["version": 1, "tags": ["stage": "surpassed"]])
        #expect(tagged.outcome == .failed)
        #expect(tagged.message?.contains("registry/transition") == true)
    }

    @Test func `X9 tagging a version that does not exist is an error`() async throws {
        let registry = try Registry()
        try await registry.versions("t1")
        let result = try await registry.perform("registry/tag", ["version": 9, "tags": ["a": "b"]])
        #expect(result.outcome == .failed)
        #expect(result.message == "model 'churn' has no version 9")
    }

    @Test func `S0-15 the same tags again say nothing new`() async throws {
        let registry = try Registry()
        try await registry.versions("t1")
        let with: JSONValue = ["version": 1, "tags": ["test_status": "passed", "n": 3]]
        let first = try await registry.perform("registry/tag", with)
        #expect(try await registry.perform("registry/tag", with) == first)
        #expect(first.outputs["tags"] == ["test_status": "passed", "n": "3"])
        _ = try await registry.perform("registry/tag", ["version": 1, "tags": ["n": nil]])
        let said = try await registry.said(ModelTagged.self)
        #expect(said.map(\.removed) == [[], ["n"]])
        let removal: JSONValue = ["version": 1, "tags": [:], "remove": ["test_status", "unknown"]]
        #expect(try await registry.perform("registry/tag", removal).outputs["tags"] == [:])
    }
}
