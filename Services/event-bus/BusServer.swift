import Bus
import Foundation
import Logging
import ServiceKit
import Synchronization

/// The whole bus of one address: two threads and the lock that keeps it the only one there.
final class BusServer: Sendable {
    private let address: BusAddress
    private let forwarder: Forwarder
    private let router: RequestRouter
    private let running = Mutex<(lock: BusLock?, threads: [SocketThread])?>(nil)
    let counts: BusCounts

    init(address: BusAddress, metrics: MetricsRegistry, logger: Logger) throws {
        self.address = address
        let heads = RememberedHeads()
        counts = BusCounts(registry: metrics)
        let started = Int64(Date().timeIntervalSince1970 * 1000)
        forwarder = try Forwarder(address: address, epoch: started, heads: heads, counts: counts, logger: logger)
        router = try RequestRouter(
            address: address, life: .random(in: .min ... .max), heads: heads, counts: counts, logger: logger)
    }

    /// Returns once all sockets listen.
    func start() async throws {
        var lock: BusLock?
        if let directory = address.directory {
            try BusAddress.prepare(directory)
            lock = try BusLock(in: directory)
        }
        let forwarding = try await launch("bus-forwarder") { [forwarder] in forwarder.run(bound: $0) }
        do {
            let routing = try await launch("bus-router") { [router] in router.run(bound: $0) }
            running.withLock { $0 = (lock, [forwarding, routing]) }
        } catch {
            forwarder.stop()
            await forwarding.join()
            throw error
        }
    }

    func stop() async {
        let ended = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let ended else { return }
        forwarder.stop()
        router.stop()
        for thread in ended.threads { await thread.join() }
        ended.lock?.release()
    }

    private func launch(
        _ name: String, _ body: @escaping @Sendable ((BusError?) -> Void) -> Void
    ) async throws -> SocketThread {
        let (results, result) = AsyncStream.makeStream(of: BusError?.self)
        let thread = SocketThread(name) {
            body { problem in result.yield(problem) }
            result.finish()
        }
        for await problem in results {
            guard let problem else { return thread }
            throw problem
        }
        throw BusError.socket("the thread '\(name)' ended before it began")
    }
}
