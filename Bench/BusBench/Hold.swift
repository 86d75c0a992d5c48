import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit

/// A worker that claims steps and parks on them, as one does whose jobs run on somebody else's cluster.
struct Hold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Claims steps and keeps them.")

    @OptionGroup var options: ServiceOptions
    @Option var steps = 100_000
    @Option var verb = "acme/park"
    @Option(help: "Steps of one session.") var most = 10_000

    func run() async throws {
        let bus = try options.connection("bench-holder", logger: options.logger("bench-holder"))
        try bus.start()
        var sessions: [String] = []
        var held = 0
        while held < steps {
            let session = try await open("bench-\(sessions.count)", bus)
            sessions.append(session)
            held += try await claim(session, min(most, steps - held), bus)
        }
        Lines.say(["held": .int(held), "sessions": .int(sessions.count)])
        while true {
            try await Task.sleep(for: .seconds(5))
            for session in sessions { try await expect(200, "session.keepalive", ["session": .string(session)], bus) }
        }
    }

    private func open(_ worker: String, _ bus: BusConnection) async throws -> String {
        let params: JSONValue = [
            "worker": .string(worker), "verbs": [.string(verb)], "labels": [:], "slots": .int(most),
        ]
        let reply = try await expect(200, "session.open", params, bus)
        guard let session = reply.params["session"]?.string else { throw ValidationError("no session") }
        return session
    }

    private func claim(_ session: String, _ wanted: Int, _ bus: BusConnection) async throws -> Int {
        var held = 0
        while held < wanted {
            let most = min(256, wanted - held)
            let reply = try await expect(
                200, "claim", ["session": .string(session), "max": .int(most)], bus, timeout: .seconds(60))
            held += reply.params["items"]?.array?.count ?? 0
        }
        return held
    }

    @discardableResult
    private func expect(
        _ status: Int, _ method: String, _ params: JSONValue, _ bus: BusConnection, timeout: Duration = .seconds(10)
    ) async throws -> BusReply {
        let reply = try await bus.request(method, to: Source.triggerService.name, params: params, timeout: timeout)
        guard reply.status == status else {
            throw ValidationError("\(method) was answered with \(reply.status) \(reply.error ?? "")")
        }
        return reply
    }
}
