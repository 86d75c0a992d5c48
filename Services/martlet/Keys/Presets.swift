import Bus
import Messages

/// Rights that belong together, so that nobody has to know the topics by heart.
enum Presets {
    /// What a service of ours does. The verbs are those of the architecture page: nobody else's steps can be claimed.
    static func service(_ source: Source) -> Rights? {
        guard Source.all.contains(source), source != .ingest else { return nil }
        let logs = source == .triggerService ? [source, .ingest] : [source]
        let verbs = verbs[source] ?? []
        return Rights(
            publish: logs.compactMap { TopicPattern("e/\($0)/*") } + [TopicPattern("t/\(source)/*")].compactMap(\.self),
            subscribe: [""],
            requests: [RequestRight(method: "fetch"), RequestRight(method: "snapshot")]
                + (source == .console ? Self.console : [])
                + verbs.map { RequestRight(method: "claim", pattern: $0) },
            rate: Rights.highestRate)
    }

    /// What people ask of it: reports, and events published in their names.
    private static let console = ["logs", "references", "publish"].map { RequestRight(method: $0) }

    private static let verbs: [Source: [String]] = [
        .trainerProxy: [
            "run", "train/*", "env/*", "image/*", "dataset/*", "infra/*", "checks/*", "artifact/*",
            "registry/download",
        ],
        .evaluator: ["evaluate/*"], .registryService: ["registry/*"], .deployer: ["deploy/*"],
        .notifier: ["notify/*"], .triggerService: ["pipeline/*"],
    ]

    /// Looks on: hears everything and catches up, says nothing.
    static let `operator` = Rights(
        subscribe: [""], requests: [RequestRight(method: "fetch"), RequestRight(method: "snapshot")])

    /// `martlet` on the machine of the suite, whose owner may publish.
    static let commandLine = Rights(
        subscribe: [""], requests: Presets.operator.requests + [RequestRight(method: "publish")])

    /// Publishes events of its own to `ingest`, hears everything, and tells telemetry under its own name.
    static func integrator(_ client: String) -> Rights {
        Rights(
            publish: [TopicPattern("t/\(client)/*")].compactMap(\.self), subscribe: [""],
            requests: Presets.operator.requests + [RequestRight(method: "publish")])
    }

    /// Works steps of these verbs.
    static func worker(_ client: String, verbs: [String]) -> Rights {
        Rights(
            publish: [TopicPattern("t/\(client)/*")].compactMap(\.self),
            requests: verbs.map { RequestRight(method: "claim", pattern: $0) })
    }
}

extension Rights {
    /// What one of the two may, and the higher rate.
    func and(_ other: Rights) -> Rights {
        Rights(
            publish: publish + other.publish.filter { !publish.contains($0) },
            subscribe: subscribe + other.subscribe.filter { !subscribe.contains($0) },
            requests: requests + other.requests.filter { !requests.contains($0) }, rate: max(rate, other.rate))
    }
}
