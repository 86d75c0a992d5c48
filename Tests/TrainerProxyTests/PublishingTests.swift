import Foundation
import Messages
import Testing

@testable import TrainerProxy

struct PublishingTests {
    private static let files = ["pipelines/train.sh": "echo trained by $0 > /dev/null; echo published\n"]

    private func publish(
        _ workshop: Workshop, run: String = "run-1", _ more: [String: JSONValue] = [:]
    ) async throws -> StepResult {
        let with: [String: JSONValue] = ["name": "training", "definition": "pipelines/train.sh", "version": "7"]
        return try await workshop.perform(
            workshop.work(
                "train/publish", .object(with.merging(more) { $1 }), run: run,
                snapshot: try await workshop.snapshot(Self.files)))
    }

    private func train(_ workshop: Workshop, _ pipeline: JSONValue, run: String = "run-9") async throws -> StepResult {
        try await workshop.perform(workshop.work("train/run", ["pipeline": pipeline], run: run))
    }

    @Test func `S2-3 a script is published under a name and a version, and started by them`() async throws {
        let workshop = try Workshop()
        #expect(try await publish(workshop).outcome == .succeeded)
        let result = try await train(workshop, ["name": "training", "version": 7, "expect": "exactly-one"])
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        #expect(try await workshop.log(result) == "published\n")
    }

    @Test func `S2-5 none published, or several for one build, is an error with these words`() async throws {
        let workshop = try Workshop()
        let wanted: JSONValue = ["name": "training", "version": "7", "expect": "exactly-one"]
        #expect(
            try await train(workshop, wanted).message == "Unable to find a published pipeline for this build 7")
        _ = try await publish(workshop, run: "run-1")
        // The same step after a crash publishes nothing more.
        _ = try await publish(workshop, run: "run-1")
        #expect(try await train(workshop, wanted, run: "run-2").outcome == .succeeded)
        _ = try await publish(workshop, run: "run-3")
        #expect(
            try await train(workshop, wanted, run: "run-4").message
                == "Multiple active pipelines are published for build 7.")
        #expect(try await train(workshop, ["name": "training", "version": 7], run: "run-5").outcome == .succeeded)
    }

    @Test func `S1-2 what does not compile is not published`() async throws {
        let workshop = try Workshop()
        #expect(try await publish(workshop, ["compile": "exit 3"]).outcome == .failed)
        #expect(try await train(workshop, "training").outcome == .failed)
        #expect(try await publish(workshop, run: "run-2", ["compile": "true"]).outcome == .succeeded)
        #expect(try await train(workshop, "training", run: "run-3").outcome == .succeeded)
    }

    @Test(
        arguments: [["definition": "../x"], ["definition": "nowhere.sh"], ["name": ""], ["backend": "aml"]]
            as [JSONValue])
    func `S2-3 what cannot be published is refused`(_ with: JSONValue) async throws {
        let workshop = try Workshop()
        #expect(try await publish(workshop, with.object ?? [:]).outcome == .failed)
    }
}
