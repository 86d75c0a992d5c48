import Foundation
import HTTPClient
import Messages
import ServiceKit
import Testing

@testable import Deployer

@Suite(.timeLimit(.minutes(5))) struct HostTests {
    @Test(arguments: ["localhost:8090", "127.0.0.1", "127.8.9.1:1", "[::1]:80", "ML.example.org:443", "[fd00::1]:80"])
    func `the loopback and the configured names are answered`(host: String) {
        let rule = HostRule(further: ["ml.example.org", "fd00::1"])
        #expect(rule.objection(host: host, origin: nil) == nil)
        #expect(rule.objection(host: host, origin: "http://localhost:3000") == nil)
    }

    @Test(arguments: ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.evil", ""])
    func `a foreign name is refused`(host: String) {
        #expect(HostRule().objection(host: host, origin: nil) != nil)
        #expect(HostRule().objection(host: nil, origin: nil) != nil)
    }

    @Test(arguments: ["http://evil.example", "null", "file://localhost", "https://127.0.0.1.evil.example"])
    func `a foreign page is refused`(origin: String) {
        #expect(HostRule().objection(host: "localhost", origin: origin) != nil)
    }

    @Test func `the gateway's own address is among its names`() throws {
        let settings = try Settings(["MARTLET_DEPLOYER_URL": "https://ml.example.org/models/"])
        #expect(settings.publicHost == "ml.example.org")
    }

    @Test func `the gateway refuses a foreign host and a foreign origin with 403`() async throws {
        try await inWorld { (world: World) async throws -> Void in
            try await world.live { (parts: DeployerParts) async throws -> Void in
                let place = world.context.paths.address(.deployer)
                while ServiceAddress.read(from: place) == nil { try await Task.sleep(for: .milliseconds(5)) }
                let port = ServiceAddress.read(from: place)?.port ?? 0
                func ask(_ path: String, _ headers: [(name: String, value: String)]) async throws -> Int {
                    try await parts.client.send(
                        HTTPRequest(method: "GET", url: "http://127.0.0.1:\(port)\(path)", headers: headers)
                    ).status
                }
                #expect(try await ask("/endpoints", []) == 200)
                #expect(try await ask("/endpoints/api/score", []) == 404)
                for path in ["/endpoints", "/endpoints/api/score"] {
                    #expect(try await ask(path, [("host", "evil.example")]) == 403)
                    #expect(try await ask(path, [("origin", "http://evil.example")]) == 403)
                }
            }
        }
    }
}
