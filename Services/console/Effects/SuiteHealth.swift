import Bus
import EventLog
import Foundation
import HTTPClient
import Messages
import ServiceKit
import Store

/// Looks at the suite's services: whether they answer, and how far this console is behind their logs.
struct SuiteHealth: Sendable {
    static let services: [Source] = [.eventBus] + Source.all.filter { $0 != .ingest }

    let context: ServiceContext
    private let client = HTTPClient()

    init(context: ServiceContext) { self.context = context }

    /// Each service: `name`, `state` (`ready`, `halted`, `not ready`, `catching up`, `behind`, `down`), `reason`, `port`,
    /// `pid`, `lag`.
    func look() async -> [JSONValue] {
        await withTaskGroup(of: (Int, JSONValue).self) { group in
            for (index, service) in Self.services.enumerated() {
                group.addTask { (index, await look(at: service)) }
            }
            var found: [Int: JSONValue] = [:]
            for await (index, value) in group { found[index] = value }
            return found.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private func look(at service: Source) async -> JSONValue {
        guard let address = ServiceAddress.read(from: context.paths.address(service)) else {
            return ["name": .string(service.name), "state": "down", "reason": "it has never listened"]
        }
        async let behind = service == .eventBus ? nil : lag(of: service)
        let (state, reason) = await readiness(address)
        let lag = await behind
        let progress = state == "ready" ? await self.progress(of: service, lag) : nil
        return .object([
            "name": .string(service.name), "state": .string(progress?.state ?? state),
            "reason": (progress?.reason ?? reason).map { .string($0) } ?? .null,
            "port": .int(address.port), "pid": .int(Int(address.pid)), "lag": lag.map { .int($0) } ?? .null,
        ])
    }

    /// A long log is looked at twice: a burst that is being read is no trouble.
    private func progress(of service: Source, _ lag: Int?) async -> ReadingProgress? {
        guard let lag, lag > ReadingProgress.mostLag else { return nil }
        try? await Task.sleep(for: ReadingProgress.pause)
        guard let later = await self.lag(of: service) else { return nil }
        return ReadingProgress(lag, then: later)
    }

    private func readiness(_ address: ServiceAddress) async -> (String, String?) {
        let url = "http://\(address.host):\(address.port)/readyz"
        do {
            let response = try await client.send(HTTPRequest(url: url, timeout: .seconds(1)))
            let reason = String(decoding: response.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            if response.isSuccess {
                // It works, but not with everything that it should hear.
                let notes = reason.split(separator: "\n").dropFirst().joined(separator: "; ")
                return notes.isEmpty ? ("ready", nil) : ("halted", notes)
            }
            return ("not ready", reason)
        } catch {
            return ("down", "\(error)")
        }
    }

    /// Events of that log that are not in the read model yet; `nil` when its owner does not answer.
    private func lag(of source: Source) async -> Int? {
        let cursor = try? await context.store.cursor(for: source)
        let (epoch, seq) = (cursor?.epoch ?? 0, cursor?.seq ?? 0)
        let reply = try? await context.bus.request(
            "fetch", to: source.name,
            params: ["epoch": .int(Int(epoch)), "after": .int(Int(seq)), "limit": 1, "maxBytes": 1],
            timeout: .milliseconds(500))
        guard let last = reply?.params["last"]?.int else { return nil }
        return max(0, last - Int(seq))
    }
}
