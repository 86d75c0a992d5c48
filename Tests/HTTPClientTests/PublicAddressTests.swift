import Foundation
import Testing

@testable import HTTPClient

/// Requests to addresses that others gave do not reach what only this machine does.
@Suite struct PublicAddressTests {
    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "2a00:1450:4001::1", "64:ff9b::808:808",
    ])
    func `addresses of the Internet are public`(host: String) {
        #expect(PublicAddress.holds(literal: host) == true)
    }

    @Test(arguments: [
        "127.0.0.1", "127.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255", "2130706433", "::1",
        "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2001:db8::1", "2002:a00:1::1", "2001::1",
        "ff02::1", "3fff::1",
    ])
    func `this machine, private networks and special purposes are not`(host: String) {
        #expect(PublicAddress.holds(literal: host) == false)
    }

    @Test func `a name is no address`() {
        #expect(PublicAddress.holds(literal: "example.com") == nil)
    }

    @Test func `a name that leads to this machine is not connected to`() async throws {
        let server = try ScriptedServer()
        let client = HTTPClient()
        for host in ["127.0.0.1", "localhost"] {
            let url = "http://\(host):\(server.port)/echo"
            #expect(try await client.send(HTTPRequest(url: url)).status == 200)
            let refusal = "\(host):\(server.port) is this machine or in a private network"
            await #expect(throws: HTTPClientError.other(refusal)) {
                try await HTTPClient().send(HTTPRequest(url: url, onlyPublic: true))
            }
        }
    }
}
