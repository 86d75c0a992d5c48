import Foundation
import HTTPClient
import Logging
import ServiceKit
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct EndingTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private struct Problem: Error {}

    @Test func `a request without an end does not keep a service from ending, which is no failure`() async throws {
        let file = NSTemporaryDirectory() + "ending-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let (requests, request) = AsyncStream.makeStream(of: Void.self)
        let door = endlessDoor(addressFile: file, logger: logger) { request.yield() }
        let group = Ending.group(of: [.init(service: door)], within: .milliseconds(100), logger: logger)
        let running = Task { [logger] in try await Ending.run(group, logger: logger) }
        defer { running.cancel() }
        while ServiceAddress.read(from: file) == nil { try await Task.sleep(for: .milliseconds(5)) }
        let port = try #require(ServiceAddress.read(from: file)?.port)
        let asking = Task {
            try await HTTPClient().send(
                HTTPRequest(url: "http://127.0.0.1:\(port)/endless", timeout: .seconds(90)))
        }
        for await _ in requests { break }
        await group.triggerGracefulShutdown()
        try await running.value
        _ = await asking.result
    }

    @Test func `what a part fails with is a failure`() async throws {
        let group = Ending.group(of: [.init(service: Loop { throw Problem() })], logger: logger)
        await #expect(throws: Problem.self) { try await Ending.run(group, logger: logger) }
    }
}
