import Bus
import Foundation
import Logging
import Messages
import ServiceKit
import Synchronization

/// The whole bus of one address: its threads and the lock that keeps it the only one there.
final class BusServer: Sendable {
    private let address: BusAddress
    private let forwarder: Forwarder
    private let router: RequestRouter
    private let watch: KeyWatch
    private let running = Mutex<(lock: BusLock?, threads: [SocketThread])?>(nil)
    private let failures: AsyncStream<BusError>
    private let failure: AsyncStream<BusError>.Continuation
    let counts: BusCounts

    /// - Parameter keys: needed over tcp.
    /// - Throws: ``BusError`` that says how to make what is missing.
    init(address: BusAddress, keys: KeyFolder? = nil, metrics: MetricsRegistry, logger: Logger) throws {
        self.address = address
        if address.needsKeys, keys == nil {
            throw BusError.key(
                "'\(address)' is opened with keys only; make them with 'martlet keys generate event-bus', or use ipc:///folder"
            )
        }
        let keys = address.needsKeys ? keys : nil
        let pair = try keys?.pair(of: Source.eventBus.name)
        let heads = RememberedHeads()
        counts = BusCounts(registry: metrics)
        watch = try KeyWatch(file: keys?.authorizedKeys, logger: logger)
        let started = Int64(Date().timeIntervalSince1970 * 1000)
        forwarder = try Forwarder(
            address: address, keys: pair, watch: watch, epoch: started, heads: heads, counts: counts, logger: logger)
        router = try RequestRouter(
            address: address, keys: pair, watch: watch, life: .random(in: .min ... .max), heads: heads, counts: counts,
            logger: logger)
        (failures, failure) = AsyncStream.makeStream()
    }

    /// What ended a thread that must not end; waits as long as all is well.
    func failed() async -> BusError? {
        for await problem in failures { return problem }
        return nil
    }

    /// Returns once all sockets listen.
    func start() async throws {
        var lock: BusLock?
        if let directory = address.directory {
            try BusAddress.prepare(directory)
            lock = try BusLock(in: directory)
        }
        let forwarding = try await launch("bus-forwarder") { [forwarder, failure] bound in
            do throws(BusError) {
                try forwarder.run(bound: bound)
            } catch {
                failure.yield(error)
            }
        }
        do {
            let routing = try await launch("bus-router") { [router] in router.run(bound: $0) }
            let watching = SocketThread("bus-keys") { [watch] in watch.run() }
            running.withLock { $0 = (lock, [forwarding, routing, watching]) }
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
        watch.stop()
        for thread in ended.threads { await thread.join() }
        ended.lock?.release()
        failure.finish()
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
