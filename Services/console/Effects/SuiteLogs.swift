import Bus
import Messages
import ServiceKit

/// Asks each service how it sees the logs: its own, and those it follows.
struct SuiteLogs: Sendable {
    let bus: BusConnection

    /// Each service's report, or its name and why there is none.
    func look() async -> [JSONValue] {
        let services = SuiteHealth.services.filter { $0 != .eventBus }
        return await withTaskGroup(of: (Int, JSONValue).self) { group in
            for (index, service) in services.enumerated() {
                group.addTask { (index, await report(of: service)) }
            }
            var found: [Int: JSONValue] = [:]
            for await (index, value) in group { found[index] = value }
            return found.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private func report(of service: Source) async -> JSONValue {
        do {
            let reply = try await bus.request("logs", to: service.name, params: [:], timeout: .seconds(2))
            if reply.isSuccess { return reply.params }
            return ["service": .string(service.name), "problem": .string(reply.error ?? "answer \(reply.status)")]
        } catch {
            return ["service": .string(service.name), "problem": .string("\(error)")]
        }
    }
}
