import Artifacts
import Bus
import Messages
import ServiceKit

/// Asks each service which artifacts it refers to. All must answer: who does not may need what would be removed.
struct SuiteReferences: Sendable {
    let bus: BusConnection

    struct Unknown: Error, CustomStringConvertible {
        let service: Source
        let problem: String

        var description: String {
            "\(service) does not say which artifacts it needs (\(problem)); nothing was removed"
        }
    }

    func all() async throws -> ReferenceSet {
        try await withThrowingTaskGroup(of: ReferenceSet.self) { group in
            for service in SuiteHealth.services where service != .eventBus {
                group.addTask { try await references(of: service) }
            }
            var all = ReferenceSet()
            for try await some in group { all.formUnion(some) }
            return all
        }
    }

    private func references(of service: Source) async throws -> ReferenceSet {
        var found = ReferenceSet()
        var (params, part, parts): (JSONValue, Int, Int) = ([:], 0, 1)
        while part < parts {
            let reply: BusReply
            do {
                reply = try await bus.request(
                    ReferenceReport.method, to: service.name, params: params, timeout: .seconds(50))
            } catch {
                throw Unknown(service: service, problem: "\(error)")
            }
            guard reply.isSuccess, let look = reply.params["look"]?.int, let count = reply.params["parts"]?.int else {
                throw Unknown(service: service, problem: reply.error ?? "answer \(reply.status)")
            }
            for bytes in reply.body { found.insert(packed: bytes) }
            (parts, part) = (count, part + 1)
            params = ["look": .int(look), "part": .int(part)]
        }
        return found
    }
}
