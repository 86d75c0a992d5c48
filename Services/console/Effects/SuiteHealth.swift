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
    /// `nil`: the doors stand in the data folder that all share.
    let doors: DoorPattern?
    private let client = HTTPClient()

    init(context: ServiceContext, doors: DoorPattern? = nil) {
        self.context = context
        self.doors = doors
    }

    /// Each service: `name`, `state` (`ready`, `halted`, `not ready`, `catching up`, `behind`, `down`), `reason`, `port`,
    /// `pid`, `lag`, `replicas`, `parked`.
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
        let found = await doors(of: service)
        guard let first = found.first else {
            return [
                "name": .string(service.name), "state": "down",
                "reason": doors == nil ? "it has never listened" : "no container has its name",
            ]
        }
        async let behind = service == .eventBus ? nil : lag(of: service)
        async let waiting = service == .eventBus ? nil : parkedKeys(of: service)
        let (state, reason) = await readiness(found)
        let (lag, parked) = await (behind, waiting)
        let progress = state == "ready" ? await self.progress(of: service, lag) : nil
        return .object([
            "name": .string(service.name), "state": .string(progress?.state ?? state),
            "reason": (progress?.reason ?? reason).map { .string($0) } ?? .null,
            "port": .int(first.port), "pid": first.pid == 0 ? .null : .int(Int(first.pid)),
            "lag": lag.map { .int($0) } ?? .null, "replicas": .int(found.count),
            "parked": parked.map { .int($0) } ?? .null,
        ])
    }

    /// One for each replica, where each has an address of its own.
    private func doors(of service: Source) async -> [ServiceAddress] {
        guard let doors else {
            return [ServiceAddress.read(from: context.paths.address(service))].compactMap(\.self)
        }
        // Of another machine's processes the number says nothing.
        return await NameLookup.addresses(of: doors.host(of: service.name)).sorted().map {
            ServiceAddress(host: $0, port: doors.port, pid: 0)
        }
    }

    /// Of several replicas the one that is worst off, and how many are like it.
    private func readiness(_ doors: [ServiceAddress]) async -> (String, String?) {
        let states = await withTaskGroup(of: (String, String?).self) { group in
            for door in doors { group.addTask { await readiness(door) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        guard doors.count > 1 else { return states.first ?? ("down", nil) }
        for word in ["down", "not ready", "halted"] {
            let such = states.filter { $0.0 == word }
            if let first = such.first {
                return (word, "\(such.count) of \(doors.count) replicas: \(first.1 ?? word)")
            }
        }
        return ("ready", nil)
    }

    /// A long log is looked at twice: a burst that is being read is no trouble.
    private func progress(of service: Source, _ lag: Int?) async -> ReadingProgress? {
        guard let lag, lag > ReadingProgress.mostLag else { return nil }
        try? await Task.sleep(for: ReadingProgress.pause)
        guard let later = await self.lag(of: service) else { return nil }
        return ReadingProgress(lag, then: later)
    }

    private func readiness(_ address: ServiceAddress) async -> (String, String?) {
        let url = "http://\(address.reachable):\(address.port)/readyz"
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

    /// Keys whose events wait behind one that could not be handled, as far as the service names them; `nil` when it does
    /// not answer.
    private func parkedKeys(of service: Source) async -> Int? {
        let reply = try? await context.bus.request(
            "logs", to: service.name, params: [:], timeout: .milliseconds(500))
        return reply?.params["parked"]?.array?.count
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
