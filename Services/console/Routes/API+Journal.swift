import EventLog
import Hummingbird
import Messages
import ServiceKit
import Store

/// The services' logs of events, and what an operator does about them; `/runs/{id}/logs` is what steps printed.
extension API {
    func addJournal(_ routes: Routes) {
        routes.get("/logs") { _ in Reply(["items": .array(await logs()), "next": .null]) }
        routes.post("/logs/{service}/release", .operator) { call in
            let service = try service(call)
            let source = try call.text("source")
            guard Source.all.contains(where: { $0.name == source }) else {
                throw Refusal.missing("log", source, among: Source.all.map(\.name), list: "martlet logs")
            }
            return try await accept(
                LogReleaseRequested(service: service, source: source), call, subject: "source/\(source)",
                key: "source/\(source)")
        }
        routes.post("/logs/{service}/epoch", .operator) { call in
            let service = try service(call)
            let body = LogEpochRequested(service: service, reason: try call.optionalText("reason"))
            guard service == Source.console.name else {
                return try await accept(body, call, subject: "source/\(service)", key: "source/\(service)")
            }
            // Its own log is not let in as it is, so nobody would hear the wish.
            let person = call.person
            let reason = body.reason ?? "asked for by \(person.actor)"
            let epoch = try await store.write { transaction in
                let start = try transaction.beginEpoch(of: .console)
                try transaction.publish(
                    EpochBegun(service: service, source: service, epoch: start.epoch, reason: reason),
                    subject: "source/\(service)", key: service, because: .first(actor: person.actor))
                return start.epoch
            }
            return Reply(["epoch": .int(Int(epoch))])
        }
    }

    private func service(_ call: Call) throws -> String {
        let name = try call.path("service")
        let services = SuiteHealth.services.map(\.name).filter { $0 != Source.eventBus.name }
        guard services.contains(name) else {
            throw Refusal.missing("service", name, among: services, list: "martlet status")
        }
        return name
    }
}
