import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Messages
import ServiceKit
import Store

/// `POST /webhooks/<forge>` and `/webhooks/<forge>/<repository>`: 202 once a delivery is on disk, nothing before.
struct Webhooks: Sendable {
    private let store: StateStore
    private let hookBook: HookBook
    private let dispatcher: Dispatcher
    private let secrets: Secrets
    private let metrics: MetricsRegistry
    private let logger: Logger
    /// Bytes of a body.
    private let largest: Int

    init(
        store: StateStore, dispatcher: Dispatcher, secrets: Secrets, metrics: MetricsRegistry, logger: Logger,
        largest: Int
    ) {
        (self.store, hookBook) = (store, HookBook(store: store))
        (self.dispatcher, self.secrets, self.metrics) = (dispatcher, secrets, metrics)
        (self.logger, self.largest) = (logger, largest)
    }

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
        let named = parameters.get("repository")?.removingPercentEncoding
        var candidates = Candidates(try await hookBook.hooks(), of: proof, named, secrets)
        if candidates.proven.isEmpty { candidates = Candidates(try await hookBook.read(), of: proof, named, secrets) }
        guard !candidates.proven.isEmpty else { throw refused(forge, candidates.hooks, named) }
        if forge == .github || forge == .gitea, header("X-GitHub-Event") == "ping" {
            count("ping", forge)
            return Reply(["pong": true])
        }
        do {
            let payload = try proof.payload()
            let reading = try proof.reading(payload)
            var hook = candidates.hook(for: reading)
            if hook == nil {
                candidates = Candidates(try await hookBook.read(), of: proof, named, secrets)
                hook = candidates.hook(for: reading)
            }
            return try await take(proof.delivery(payload, reading), reading, for: hook, among: candidates)
        } catch let refusal as Refusal {
            count("malformed", forge)
            throw DoorRefusal(400, refusal.reason, hint: "send what \(forge.rawValue) sends, unchanged")
        }
    }

    /// What became of each that came in: `accepted`, `repeated`, or why it starts nothing. What git says of an accepted
    /// one is told by its events.
    ///
    /// - Parameter forge: `nil`: none that is known.
    private func count(_ verdict: String, _ forge: Forge?) {
        metrics.count(
            "martlet_webhooks_total", "Webhooks by what became of them.",
            labels: [("forge", forge?.rawValue ?? "other"), ("verdict", verdict)])
    }

    /// The path says who sends; where the headers are another's, they count: Gitea is often set up as if it were GitHub.
    private func forge(_ name: String, _ header: (String) -> String?) throws -> Forge {
        guard let forge = Forge(rawValue: name) else {
            // Nothing proves who sends this, so nothing is stored of it, nor is its body read.
            count("unknown_forge", nil)
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
        _ unplaced: StoredDelivery, _ reading: ForgeReading, for hook: RepositoryHook?, among candidates: Candidates
    ) async throws -> Reply {
        var delivery = unplaced
        let known = reading.addresses.first.map { "'\($0.shortened(to: 300))'" } ?? "no repository"
        var problem: DoorRefusal?
        var refusal = reading.nothing.map { (code: "not_a_cause", reason: "\(reading.event): \($0)") }
        if let hook {
            delivery.repository = hook.repository
        } else if refusal != nil, reading.addresses.isEmpty {
            // Of no repository, as what happens in an organization: that its secret was known is enough for a verdict.
            delivery.repository = candidates.only ?? ""
        } else if candidates.fitting(reading).isEmpty {
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

/// The repositories that a delivery may be for.
private struct Candidates {
    /// Those that hear its forge.
    let hooks: [RepositoryHook]
    /// The names of those whose secret proves it. Nothing of it is read before.
    let proven: Set<String>

    /// - Parameter named: the only one that the path admits; `nil`: any.
    init(_ all: [RepositoryHook], of proof: WebhookProof, _ named: String?, _ secrets: Secrets) {
        hooks = all.filter { $0.hears(proof.forge) }
        var verdicts: [String: Bool] = [:]
        proven = Set(
            hooks.filter { named == nil || $0.repository == named }.filter { hook in
                let name = hook.secret(of: proof.forge)
                if let known = verdicts[name] { return known }
                let holds = (try? secrets.value(of: name)).map(proof.holds) ?? false
                verdicts[name] = holds
                return holds
            }.map(\.repository))
    }

    /// Where there is no choice.
    var only: String? { proven.count == 1 ? proven.first : nil }

    func fitting(_ reading: ForgeReading) -> [RepositoryHook] {
        let identities = Set(reading.addresses.map(RepositoryIdentity.init))
        return hooks.filter { !$0.identities.isDisjoint(with: identities) }
    }

    func hook(for reading: ForgeReading) -> RepositoryHook? {
        fitting(reading).first { proven.contains($0.repository) }
    }
}
