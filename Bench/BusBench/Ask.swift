import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit

/// An outsider that publishes one event at a time and waits for each answer.
struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Publishes through the log `ingest`, one at a time.")

    @OptionGroup var options: ServiceOptions
    @Option var events = 1000
    @Option var bytes = 1024

    func run() async throws {
        let bus = try options.connection("bench-asker", logger: options.logger("bench-asker"))
        try bus.start()
        try await untilAnswered(bus)
        var delays = Delays()
        let begun = monotonic()
        for n in 0..<events {
            let start = monotonic()
            let reply = try await publish(n, bus)
            guard reply.status == 200 else { throw ValidationError("answered \(reply.status): \(reply.error ?? "")") }
            delays.add(monotonic() - start)
        }
        Lines.say([
            "begun": .int(Int(begun)), "ended": .int(Int(monotonic())), "events": .int(events),
            "delays": delays.summary,
        ])
        await bus.shutdown()
    }

    /// The trigger-service may still be starting.
    private func untilAnswered(_ bus: BusConnection) async throws {
        for attempt in 0..<100 {
            if try await publish(-1 - attempt, bus).status == 200 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw ValidationError("nobody answers for ingest")
    }

    private func publish(_ n: Int, _ bus: BusConnection) async throws -> BusReply {
        let id = "\(ProcessInfo.processInfo.processIdentifier)-\(n)"
        let filling = String(repeating: "x", count: max(0, bytes - 180))
        let event =
            #"{"specversion":"1.0","id":"\#(id)","source":"https://bench.example","type":"com.example.ticked.v1","#
            + #""subject":"bench/\#(n)","data":{"n":\#(n),"filling":"\#(filling)"}}"#
        return try await bus.request(
            "publish", to: Source.ingest.name, params: [:], body: [Data(event.utf8)], timeout: .seconds(10))
    }
}
