import EventLog
import Foundation
import Logging
import Messages
import Testing

@testable import Bus

struct OpeningTests {
    @Test func `the pauses grow, and begin anew once the sockets were open`() {
        let opening = OpeningPauses()
        let error = BusError.socket("cannot make a socket: Too many open files")
        #expect(opening.problem == nil)
        let pauses = (0..<7).map { _ in opening.failed(error) }
        #expect(pauses.first == .milliseconds(250))
        #expect(pauses == pauses.sorted() && pauses.last == .seconds(10))
        #expect(opening.problem == "bus: cannot make a socket: Too many open files")
        opening.opened()
        #expect(opening.problem == nil)
        #expect(opening.failed(error) == .milliseconds(250))
    }

    /// libzmq dials no name that begins with a dot; a want of open files takes the same way.
    @Test(.timeLimit(.minutes(1)))
    func `a connection whose sockets cannot be opened goes on trying, says why, and ends when it is told to`()
        async throws
    {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let pair = try KeyPair.generate()
        let bus = BusConnection(
            address: try BusAddress("tcp://.bus:5550"),
            credentials: BusCredentials(own: pair, bus: pair.publicKey), logger: logger)
        #expect(bus.problems.isEmpty)
        try bus.start()
        // Each waits for its own deadline, as without a bus, and is not told that the connection is over.
        for _ in 0..<2 {
            await #expect(throws: BusError.unreachable(method: "hello", target: "bus")) {
                try await bus.request("hello", to: "bus", params: [:], timeout: .milliseconds(400))
            }
        }
        let sent = await bus.live?.publish([[Data("h/acme".utf8), Data(), Data()]])
        #expect(sent == 0)
        #expect(bus.problems.count == 2)
        #expect(bus.problems.allSatisfy { $0.hasPrefix("bus: cannot dial tcp://.bus:555") }, "\(bus.problems)")
        await bus.shutdown()
        #expect(bus.problems.isEmpty)
    }
}
