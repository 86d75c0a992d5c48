import Foundation
import Messages
import ServiceKit
import Testing

@testable import TrainerProxy

@Suite struct TrainingTokenTests {
    @Test func `the token of an execution is found again after a restart, and only with the key`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/token-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try TrainingToken(keyAt: folder + "/key").token(of: "run/job/train/1")
        #expect(try TrainingToken(keyAt: folder + "/key").token(of: "run/job/train/1") == first)
        #expect(TokenText(first.text) == first && first.id.hasPrefix("run"))
        #expect(try TrainingToken(keyAt: folder + "/key").token(of: "run/job/train/2").secret != first.secret)
        #expect(try TrainingToken(keyAt: folder + "/other").token(of: "run/job/train/1").secret != first.secret)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/key")
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    }

    @Test func `what code wrote into files comes before what it told the registry`() {
        var harvest = TrainingHarvest(metrics: ["mse": 1], params: ["alpha": "1"])
        harvest.add(
            TrackedRun(
                metrics: ["mse": 2, "r2": 3], params: ["alpha": "2", "beta": "3"], tags: ["a": "b"], model: nil))
        #expect(harvest.metrics == ["mse": 1, "r2": 3])
        #expect(harvest.params == ["alpha": "1", "beta": "3"])
        #expect(harvest.tags == ["a": "b"])
    }
}
