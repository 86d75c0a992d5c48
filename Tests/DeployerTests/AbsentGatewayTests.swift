import Foundation
import Messages
import ServiceKit
import Testing

@testable import Deployer

/// The gateway goes with the replica that leads, and comes again with the next one.
@Suite(.serialized, .timeLimit(.minutes(5))) struct AbsentGatewayTests {
    @Test func `S2-26 X13 a gateway that is being started again is waited for, and costs no attempt`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                try await world.register(1, "one", to: parts)
                _ = try await world.deploy(1, run: "r1", by: parts)
                let address = world.context.paths.address(.deployer)
                let hidden = address + ".hidden"
                try FileManager.default.moveItem(atPath: address, toPath: hidden)
                let back = Task {
                    try await Task.sleep(for: .milliseconds(500))
                    try FileManager.default.moveItem(atPath: hidden, toPath: address)
                }
                let tested = try await world.smokeTest(run: "r1", by: parts)
                try await back.value
                #expect(tested.outcome == .succeeded, "\(tested.message ?? "")")
            }
        }
    }
}
