import Messages
import ServiceKit

/// A suite that runs, here or elsewhere, as its bus and its console tell of it.
struct RunningSuite {
    /// Whether that service answers over the bus.
    let ask: (Source) async throws -> Void
    /// What the console says of all.
    let status: () async throws -> JSONValue

    func bus() async -> Finding {
        do {
            try await ask(.triggerService)
            return .ok("bus", "trigger-service answers over it")
        } catch {
            return .bad(
                "bus", "\(error)", do: "'martlet status' shows who is down; see <data>/services/event-bus/log")
        }
    }

    /// How its services are, and which Martlet answers.
    func services() async -> [Finding] {
        do {
            let answer = try await status()
            return [Self.health(of: answer["services"]?.array ?? []), Self.version(answer["version"]?.string)]
        } catch {
            return [.bad("services", "\(error)", do: "the console does not answer; see <data>/services/console/log")]
        }
    }

    private static func health(of services: [JSONValue]) -> Finding {
        let ill = services.filter { !["ready", "catching up"].contains($0["state"]?.string) }
        guard ill.isEmpty else {
            return .bad(
                "services",
                ill.map { "\($0.text("name")) is \($0.text("state"))" }.joined(separator: ", "),
                do: "'martlet status' says more, and what to do about each")
        }
        return .ok("services", "\(services.count) ready")
    }

    /// - Parameter running: as the console says; one from before it said so has none.
    private static func version(_ running: String?) -> Finding {
        let own = MartletVersion.number
        guard running != own else { return .ok("version", own) }
        return .warning(
            "version", "this is \(own), and \(running ?? "an older one") runs",
            do: "'martlet down' and 'martlet up' with the programs of one version")
    }
}
