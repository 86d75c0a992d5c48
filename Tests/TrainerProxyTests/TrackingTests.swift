import Foundation
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import ServiceKit
import Serving
import Synchronization
import Testing

@testable import TrainerProxy

/// What training code told the registry is read when the code has ended.
@Suite struct TrackingTests {
    /// A registry that has these answers, of which the last goes on.
    private final class StandIn: Sendable {
        let url: String
        private let asked: Count
        private let server: Task<Void, any Error>

        private final class Count: Sendable {
            let held = Mutex(0)
        }

        init(_ answers: (status: Int, body: JSONValue)...) async throws {
            let asked = Count()
            self.asked = asked
            let (server, port) = try await serve { router in
                router.get("/api/v1/training-runs/{id}") { _, _ in
                    let number = asked.held.withLock { count in
                        count += 1
                        return count
                    }
                    let answer = answers[min(number, answers.count) - 1]
                    return Response(
                        status: .init(code: answer.status),
                        body: .init(byteBuffer: ByteBuffer(bytes: try Wire.encode(answer.body))))
                }
            }
            self.server = server
            url = "http://127.0.0.1:\(port)"
        }

        deinit { server.cancel() }

        var requests: Int { asked.held.withLock { $0 } }

        func told(_ shop: Workshop) async throws -> TrackedRun {
            var tracking = shop.backend.tracking
            tracking.pause = .milliseconds(1)
            let token = try TrainingToken(keyAt: shop.root + "/key").token(of: "run-1/j/s/1")
            return try await tracking.told(of: "run-1.j.s", TrackingPass(url: url, token: token, project: "p"))
        }
    }

    @Test func `a registry that is not ready yet is asked again`() async throws {
        let shop = try Workshop()
        let registry = try await StandIn(
            (503, [:]), (502, [:]), (429, [:]), (500, [:]), (200, ["metrics": ["m": 1]]))
        #expect(try await registry.told(shop).metrics == ["m": 1])
        #expect(registry.requests == 5)
    }

    @Test func `a registry that has nothing but errors is not asked for ever, and the step says why`() async throws {
        let shop = try Workshop()
        let registry = try await StandIn((500, ["message": "The registry could not answer"]))
        let failure = await #expect(throws: StepFailure.self) { try await registry.told(shop) }
        #expect(failure?.description.contains("The registry could not answer (500)") == true)
        #expect(registry.requests == Tracking.mostErrors)
    }

    @Test(arguments: [400, 401, 404])
    func `a training whose results the registry refuses to tell has not succeeded`(status: Int) async throws {
        let registry = try await StandIn((status, ["message": "no such thing"]))
        let shop = try Workshop { $0.trackingURI = registry.url }
        let script = #"echo '{"mse": 0.5}' > $MARTLET_OUTPUT/metrics.json"#
        let result = try await shop.perform(shop.work("train/run", ["command": .string(script)]))
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("no such thing (\(status))") == true, "\(result.message ?? "")")
        let finished = try #require(try await shop.events(TrainingFinished.self).first)
        #expect(finished.outcome == .failed && finished.metrics == ["mse": 0.5])
        #expect(registry.requests == 1)
    }

    @Test func `a model that cannot be taken fails the step, and what was measured is told`() async throws {
        let registry = try await StandIn((200, ["metrics": ["auc": 0.75], "problem": "more than 10000 files"]))
        let shop = try Workshop { $0.trackingURI = registry.url }
        let result = try await shop.perform(shop.work("train/run", ["command": "true"], step: "logged"))
        #expect(result.outcome == .failed)
        #expect(result.message?.contains("more than 10000 files") == true, "\(result.message ?? "")")
        #expect(result.outputs["metrics"] == ["auc": 0.75])
        let script = "mkdir $MARTLET_OUTPUT/model; echo weights > $MARTLET_OUTPUT/model/weights.bin"
        let written = try await shop.perform(shop.work("train/run", ["command": .string(script)], step: "written"))
        #expect(written.outcome == .succeeded, "\(written.message ?? "")")
    }

    @Test func `long parameters that the code told stay in the registry, and fail no training`() async throws {
        let long = String(repeating: "x", count: 40_000)
        let registry = try await StandIn((200, ["metrics": ["auc": 0.75], "params": ["vocabulary": .string(long)]]))
        let shop = try Workshop { $0.trackingURI = registry.url }
        let script = #"echo '{"alpha": 0.5}' > $MARTLET_OUTPUT/params.json"#
        let result = try await shop.perform(shop.work("train/run", ["command": .string(script)]))
        #expect(result.outcome == .succeeded, "\(result.message ?? "")")
        let finished = try #require(try await shop.events(TrainingFinished.self).first)
        #expect(finished.metrics == ["auc": 0.75] && finished.params == ["alpha": "0.5"])
    }
}
