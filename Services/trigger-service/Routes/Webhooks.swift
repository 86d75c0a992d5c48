import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Messages
import ServiceKit
import Store

/// `POST /webhooks/<forge>` and `/webhooks/<forge>/<repository>`: 202 once a delivery is on disk, nothing before.
struct Webhooks: Sendable {
    let store: StateStore
    let dispatcher: Dispatcher
    let secrets: Secrets
    let metrics: MetricsRegistry
    let logger: Logger
    /// Bytes of a body.
    let largest: Int

    func add(to router: Router<BasicRequestContext>) {
        for path in ["/webhooks/:forge", "/webhooks/:forge/:repository"] {
            router.post(RouterPath(path)) { request, context in
                try await answering(request, in: logger) {
                    let reply = try await take(request, context.parameters)
                    return try reply.response()
                }
            }
        }
    }

    private func take(_ request: Request, _ parameters: Parameters) async throws -> Reply {
        let headers = request.headers
        let header: @Sendable (String) -> String? = { name in HTTPField.Name(name).flatMap { headers[$0] } }
        let forge = try forge(parameters.get("forge") ?? "", header)
        let body = try await body(of: request, from: forge)
        let proof = WebhookProof(
            forge: forge, header: header, body: body, now: Int64(Date().timeIntervalSince1970))
        let hooks = try await store.read { try RepositoryQueries.hooks(in: $0) }.filter { $0.hears(forge) }
        let named = parameters.get("repository")?.removingPercentEncoding
        let proven = proven(by: proof, among: hooks.filter { named == nil || $0.repository == named })
        guard !proven.isEmpty else { throw refused(forge, hooks, named) }
        if forge == .github || forge == .gitea, header("X-GitHub-Event") == "ping" {
            count("ping", forge)
            return Reply(["pong": true])
        }
        do {
            let payload = try proof.payload()
            let reading = try proof.reading(payload)
            return try await take(proof.delivery(payload, reading), reading, hooks: hooks, proven: proven)
        } catch let refusal as Refusal {
            count("malformed", forge)
            throw DoorRefusal(400, refusal.reason, hint: "send what \(forge.rawValue) sends, unchanged")
        }
    }

    /// What became of each that came in: `accepted`, `repeated`, or why it starts nothing. What git says of an accepted
    /// one is told by its events.
    private func count(_ verdict: String, _ forge: Forge) {
        metrics.count(
            "martlet_webhook_verdicts_total", "Webhooks by what became of them.",
            labels: [("forge", forge.rawValue), ("verdict", verdict)])
    }

    /// The path says who sends; where the headers are another's, they count: Gitea is often set up as if it were GitHub.
    private func forge(_ name: String, _ header: (String) -> String?) throws -> Forge {
        guard let forge = Forge(rawValue: name) else {
            throw DoorRefusal(404, "'\(name.shortened(to: 80))' is no forge", hint: "the forges are \(Forge.list)")
        }
        guard let found = Forge.detect(header), found != forge else { return forge }
        if forge == .github, found == .gitea { return .gitea }
        throw DoorRefusal(
            400, "this comes from \(found.rawValue)", hint: "send it to /webhooks/\(found.rawValue)")
    }

    private func body(of request: Request, from forge: Forge) async throws -> Data {
        do {
            return Data(try await request.body.collect(upTo: largest).readableBytesView)
        } catch {
            count("too_large", forge)
            throw DoorRefusal(
                413, "the body is longer than \(largest) bytes",
                hint: "MARTLET_WEBHOOK_BYTES sets how long it may be; git is asked for what changed in any case")
        }
    }

    /// The repositories whose secret proves the delivery. Nothing of it is read before.
    private func proven(by proof: WebhookProof, among hooks: [RepositoryHook]) -> Set<String> {
        var verdicts: [String: Bool] = [:]
        return Set(
            hooks.filter { hook in
                let name = hook.secret(of: proof.forge)
                if let known = verdicts[name] { return known }
                let holds = (try? secrets.value(of: name)).map(proof.holds) ?? false
                verdicts[name] = holds
                return holds
            }.map(\.repository))
    }

    private func refused(_ forge: Forge, _ hooks: [RepositoryHook], _ named: String?) -> DoorRefusal {
        count("unproven", forge)
        let names = Set(hooks.map { $0.secret(of: forge) }).filter { (try? secrets.value(of: $0)) != nil }
        let hint =
            names.isEmpty
            ? "there is no secret yet: put it into <data>/secrets/\(forge.secret), or name another one with"
                + " 'martlet repo add … --webhook-secret NAME'"
            : "the secret at the forge and the one in <data>/secrets differ"
        return DoorRefusal(
            401, "nothing proves that this comes from \(forge.rawValue)" + (named.map { " for '\($0)'" } ?? ""),
            hint: hint, challenge: forge == .azureDevOps ? "Basic realm=\"Martlet\"" : "Signature realm=\"Martlet\"")
    }

    private func take(
        _ unplaced: StoredDelivery, _ reading: ForgeReading, hooks: [RepositoryHook], proven: Set<String>
    ) async throws -> Reply {
        var delivery = unplaced
        let identities = Set(reading.addresses.map(RepositoryIdentity.init))
        let fitting = hooks.filter { !$0.identities.isDisjoint(with: identities) }
        let known = reading.addresses.first.map { "'\($0.shortened(to: 300))'" } ?? "no repository"
        var problem: DoorRefusal?
        var refusal = reading.nothing.map { (code: "not_a_cause", reason: "\(reading.event): \($0)") }
        if let hook = fitting.first(where: { proven.contains($0.repository) }) {
            delivery.repository = hook.repository
        } else if fitting.isEmpty {
            problem = DoorRefusal(
                404, "\(known) is not watched",
                hint: "'martlet repo add NAME URL' watches it; --forge-url says where git is asked elsewhere")
            refusal = ("not_watched", "the delivery is about \(known), which is not watched")
        } else {
            problem = DoorRefusal(
                403, "it is about \(known), and not about the repository that it came in for",
                hint: "send each repository's webhooks to its own path, with its own secret")
            refusal = ("other_repository", "the delivery is about \(known), and was proven by another's secret")
        }
        let (stored, reason, dispatcher) = (delivery, refusal, dispatcher)
        let isNew = try await store.write { try dispatcher.accept(stored, refusal: reason, $0) }
        count(isNew ? refusal?.code ?? "accepted" : "repeated", delivery.forge)
        if let problem { throw problem }
        return Reply(
            [
                "delivery": .string(delivery.reference), "repository": .string(delivery.repository),
                "event": .string(delivery.event), "changes": .int(delivery.changes.count), "repeated": .bool(!isNew),
                "note": refusal.map { .string($0.reason) } ?? .null,
            ], status: .accepted)
    }
}
