import Foundation
import Testing

@testable import HTTPClient

@Suite struct HTTPClientTests {
    let server: ScriptedServer
    let client = HTTPClient()

    /// One for all: it takes longer to start than a test to run.
    private static let started = Result { try ScriptedServer() }

    init() throws { server = try Self.started.get() }

    @Test func `a body goes out as it is and the answer comes back whole`() async throws {
        let request = HTTPRequest(
            method: "POST", url: server.url("/echo?a=1"), headers: [("Content-Type", "text/x")],
            body: Data("hello".utf8))
        let response = try await client.send(request)
        #expect(response.status == 200)
        #expect(response.header("X-Type") == "text/x")
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(text.hasPrefix("POST /echo?a=1 ") && text.hasSuffix("|hello"))
    }

    @Test func `no content type is made up for a body without one`() async throws {
        let response = try await client.send(HTTPRequest(method: "PUT", url: server.url("/echo"), body: Data("x".utf8)))
        #expect(response.header("x-type") == "none")
    }

    @Test func `an empty POST says so and does not hang`() async throws {
        #expect(try await client.send(HTTPRequest(method: "POST", url: server.url("/echo"))).status == 200)
    }

    @Test func `an error status is an answer, not an error`() async throws {
        let response = try await client.send(HTTPRequest(url: server.url("/teapot")))
        #expect(response.status == 418)
        #expect(String(decoding: response.body, as: UTF8.self) == "short and stout")
    }

    @Test func `requests one after the other use the same connection`() async throws {
        func clientPort() async throws -> String {
            let body = try await client.send(HTTPRequest(url: server.url("/echo"))).body
            return String(decoding: body, as: UTF8.self)
        }
        #expect(try await clientPort() == clientPort())
    }

    @Test func `X13 a refused connection has a name of its own`() async {
        // Port 1 is tcpmux: nothing listens there.
        await #expect(throws: HTTPClientError.refused("127.0.0.1:1")) {
            try await client.send(HTTPRequest(url: "http://127.0.0.1:1/secret-token"))
        }
    }

    @Test func `a server that says nothing in time is a timeout`() async {
        await #expect(throws: HTTPClientError.timeout("127.0.0.1:\(server.port)")) {
            try await client.send(HTTPRequest(url: server.url("/hang"), timeout: .milliseconds(200)))
        }
    }

    @Test func `a connection closed without an answer is lost`() async {
        await #expect(throws: HTTPClientError.lost("127.0.0.1:\(server.port)")) {
            try await client.send(HTTPRequest(url: server.url("/close")))
        }
    }

    @Test func `an answer longer than allowed is cut off`() async throws {
        await #expect(throws: HTTPClientError.tooLarge(limit: 1000)) {
            try await client.send(HTTPRequest(url: server.url("/big/100000"), maxResponseBytes: 1000))
        }
        #expect(
            try await client.send(HTTPRequest(url: server.url("/big/1000"), maxResponseBytes: 1000)).body.count == 1000)
    }

    @Test func `redirects are followed only when asked`() async throws {
        #expect(try await client.send(HTTPRequest(url: server.url("/moved"))).status == 302)
        let followed = try await client.send(HTTPRequest(url: server.url("/moved"), maxRedirects: 3))
        #expect(followed.status == 200)
        #expect(followed.header("location") == nil)
    }

    @Test func `cancelling the task aborts the transfer`() async throws {
        let url = server.url("/hang")
        let task = Task { [client] in
            do throws(HTTPClientError) {
                _ = try await client.send(HTTPRequest(url: url))
                return nil as HTTPClientError?
            } catch {
                return error
            }
        }
        task.cancel()
        #expect(await task.value == .canceled)
    }

    @Test func `a stream hands over what has come`() async throws {
        let stream = try await client.stream(HTTPRequest(url: server.url("/chunks"), timeout: nil))
        #expect(stream.head.status == 200)
        var text = ""
        for try await piece in stream { text += String(decoding: piece, as: UTF8.self) }
        #expect(text == "onetwothree")
    }

    @Test func `a reader slower than the sender gets every byte of a long stream`() async throws {
        let stream = try await client.stream(HTTPRequest(url: server.url("/big/20000000"), timeout: nil))
        var count = 0
        for try await piece in stream {
            count += piece.count
            await Task.yield()
        }
        #expect(count == 20_000_000)
    }

    @Test func `a stream from nowhere throws at once`() async {
        await #expect(throws: HTTPClientError.self) {
            _ = try await client.stream(HTTPRequest(url: "http://127.0.0.1:1/"))
        }
    }

    @Test(arguments: ["ftp://127.0.0.1/x", "file:///etc/passwd", "127.0.0.1:80", "http://127.0.0.1/a b"])
    func `only plain http addresses are accepted`(url: String) async {
        await #expect(throws: HTTPClientError.self) { try await client.send(HTTPRequest(url: url)) }
    }

    @Test func `a header cannot smuggle in another`() async {
        await #expect(throws: HTTPClientError.self) {
            try await client.send(HTTPRequest(url: server.url("/echo"), headers: [("a", "b\r\nc: d")]))
        }
    }

    @Test func `many requests at once all come back`() async throws {
        let url = server.url("/echo")
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 { group.addTask { [client] in try await client.send(HTTPRequest(url: url)).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 100))
    }

    @Test func `a socket file is reached like a host`() async throws {
        await #expect(throws: HTTPClientError.refused("/nowhere.sock")) {
            try await client.send(HTTPRequest(url: "http://docker/_ping", unixSocket: "/nowhere.sock"))
        }
    }
}
