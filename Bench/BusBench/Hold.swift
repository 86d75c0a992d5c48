import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit
import Synchronization

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
        let sessions = Sessions()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // From the first claim on: a session that is not heard of for 15 s gives its steps back.
            group.addTask { try await keepAlive(sessions, bus) }
            var held = 0
            while held < steps {
                let session = try await open("bench-\(held / most)", bus)
                sessions.ids.withLock { $0.append(session) }
                held += try await claim(session, min(most, steps - held), bus)
            }
            Lines.say(["held": .int(held), "sessions": .int(sessions.ids.withLock { $0.count })])
            try await group.waitForAll()
        }
    }

    private func keepAlive(_ sessions: Sessions, _ bus: BusConnection) async throws {
        while true {
            try await Task.sleep(for: .seconds(5))
            for session in sessions.ids.withLock({ $0 }) {
                _ = try await ask("session.keepalive", ["session": .string(session)], bus, expecting: [200])
            }
        }
    }

    private func open(_ worker: String, _ bus: BusConnection) async throws -> String {
        let params: JSONValue = [
            "worker": .string(worker), "verbs": [.string(verb)], "labels": [:], "slots": .int(most),
        ]
        let reply = try await ask("session.open", params, bus, expecting: [200])
        guard let session = reply.params["session"]?.string else { throw ValidationError("no session") }
        return session
    }

    private func claim(_ session: String, _ wanted: Int, _ bus: BusConnection) async throws -> Int {
        var held = 0
        while held < wanted {
            let most = min(256, wanted - held)
            // 204: nothing is offered yet.
            let reply = try await ask(
                "claim", ["session": .string(session), "max": .int(most)], bus, expecting: [200, 204])
            held += reply.params["items"]?.array?.count ?? 0
        }
        return held
    }

    private func ask(
        _ method: String, _ params: JSONValue, _ bus: BusConnection, expecting: Set<Int>
    ) async throws -> BusReply {
        let reply = try await bus.request(
            method, to: Source.triggerService.name, params: params, timeout: .seconds(60))
        guard expecting.contains(reply.status) else {
            throw ValidationError("\(method) was answered with \(reply.status) \(reply.error ?? "")")
        }
        return reply
    }
}

private final class Sessions: Sendable {
    let ids = Mutex<[String]>([])
}
