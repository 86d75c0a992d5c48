import Bus
import Foundation
import Logging
import Messages
import Synchronization

/// The ROUTER and its thread around ``RouterTable``.
final class RequestRouter: Sendable {
    private let address: BusAddress
    private let keys: KeyPair?
    private let watch: KeyWatch
    private let heads: RememberedHeads
    private let counts: BusCounts
    private let life: UInt64
    private let logger: Logger
    private let wakeup: Wakeup
    private let isStopping = Mutex(false)

    /// What one thread knows beside its sockets.
    struct Life {
        var table: RouterTable
        var generation: Int
        var reporter = DenialReporter()
        var reportsAt = Duration.zero

        /// When it has to look around again though nobody asks anything; what is not awaited wakes nobody.
        var wakeAt: Duration { [table.nextDeadline, reporter.wakeAt].compactMap(\.self).reduce(reportsAt, min) }
    }

    init(
        address: BusAddress, keys: KeyPair?, watch: KeyWatch, life: UInt64, heads: RememberedHeads, counts: BusCounts,
        logger: Logger
    ) throws(BusError) {
        self.address = address
        self.keys = keys
        self.watch = watch
        self.life = life
        self.heads = heads
        self.counts = counts
        self.logger = logger
        wakeup = try Wakeup()
        watch.tell(wakeup)
    }

    func stop() {
        isStopping.withLock { $0 = true }
        wakeup.wake()
    }

    /// On a thread of its own, until ``stop()``.
    /// - Parameter bound: called once, with what kept the socket from listening.
    func run(bound: (BusError?) -> Void) {
        do throws(BusError) {
            let context = try SocketContext()
            let zap = try ZapDoor(in: context)
            let options = keys.map {
                SocketOption.keyedRouter + SocketOption.server($0, domain: Authority.Door.requests.rawValue)
            }
            let router = try Socket(.router, in: context, options: options ?? SocketOption.router)
            try router.bind(to: address.requests)
            bound(nil)
            route(router, zap)
        } catch {
            bound(error)
        }
    }

    private func route(_ router: borrowing Socket, _ zap: borrowing ZapDoor) {
        let generation = watch.generation
        var life = Life(table: RouterTable(life: life, authority: watch.authority), generation: generation)
        var poll = PollSet()
        poll.add(router)
        poll.add(zap.socket)
        poll.add(wakeup)
        let start = ContinuousClock.now
        while !isStopping.withLock({ $0 }) {
            wakeup.clear()
            let now = ContinuousClock.now - start
            adoptRights(router, &life, now)
            zap.answer(life.table.authority, counts)
            let more = receive(from: router, &life, now)
            send(life.table.expire(now: now), from: router, &life, now)
            report(router, &life, now)
            poll.wait(more ? .zero : max(.zero, life.wakeAt - (.now - start)))
        }
    }

    private func adoptRights(_ router: borrowing Socket, _ life: inout Life, _ now: Duration) {
        let generation = watch.generation
        guard generation != life.generation else { return }
        life.generation = generation
        send(life.table.adopt(watch.authority), from: router, &life, now)
    }

    /// - Returns: whether there may be more.
    private func receive(from router: borrowing Socket, _ life: inout Life, _ now: Duration) -> Bool {
        for _ in 0..<256 {
            guard let (frames, cut, key) = router.receiveFromPeer(limit: BusLimits.requestFrames + 2) else {
                return false
            }
            guard let identity = frames.first else { continue }
            let peer = RouterTable.Peer(identity: identity, key: key)
            send(handle(frames, cut, peer, &life, now), from: router, &life, now)
        }
        return true
    }

    private func handle(
        _ frames: [Data], _ cut: Bool, _ peer: RouterTable.Peer, _ life: inout Life, _ now: Duration
    ) -> [RouterTable.Output] {
        // A name that a peer gave itself could be that of another who is gone, whose answers it would get.
        guard peer.identity.count == 5, peer.identity.first == 0 else {
            deny(Denial.identity.rawValue, peer, life, "a ROUTING_ID of its own")
            return []
        }
        do throws(RequestDrop) {
            if cut { throw .frames }
            switch try RequestMessage(parsing: Array(frames.dropFirst())) {
            case .request(let request):
                counts.requested()
                let outputs = life.table.request(request, from: peer, heads: heads, now: now)
                if let denial = outputs.first?.denial {
                    deny(denial.rawValue, peer, life, "\(request.method) of \(request.target)")
                }
                return outputs
            case .reply(let reply):
                if let output = life.table.reply(reply, from: peer) { return [output] }
                counts.dropped("late_reply", client: life.table.authority.client(peer.key)?.name ?? "unknown")
            }
        } catch {
            deny("request_\(error.rawValue)", peer, life, "a malformed request")
        }
        return []
    }

    private func deny(_ reason: String, _ peer: RouterTable.Peer, _ life: Life, _ example: String) {
        let name = life.table.authority.client(peer.key)?.name ?? "unknown"
        counts.denied(reason, client: name, key: peer.key, example: example)
    }

    private func send(
        _ outputs: [RouterTable.Output], from router: borrowing Socket, _ life: inout Life, _ now: Duration
    ) {
        var outputs = outputs[...]
        while let output = outputs.popFirst() {
            if output.to == RouterTable.Peer.bus.identity {
                answered(output, &life, now)
                continue
            }
            let sent = router.send([output.to] + output.frames)
            guard sent != .sent else { continue }
            if let correlation = output.correlation {
                outputs += life.table.undelivered(correlation, isGone: sent == .unroutable)
            } else {
                counts.dropped("client_gone")
            }
        }
    }
}

extension RequestRouter {
    /// Tells `ingest` what was denied to whom, once a minute for each client.
    private func report(_ router: borrowing Socket, _ life: inout Life, _ now: Duration) {
        if life.reportsAt <= now {
            life.reportsAt = now + .seconds(1)
            for denied in counts.reports() {
                let reasons = denied.reasons.map { "\($0.reason): \($0.count)" }.joined(separator: ", ")
                logger.warning(
                    "the bus denied what a client wanted",
                    metadata: [
                        "client": "\(denied.client)", "reasons": "\(reasons)", "example": "\(denied.example ?? "")",
                    ])
                life.reporter.add(denied, at: Timestamp(Date()))
            }
        }
        guard let request = life.reporter.next(now: now) else { return }
        send(life.table.request(request, from: .bus, heads: heads, now: now), from: router, &life, now)
    }

    private func answered(_ output: RouterTable.Output, _ life: inout Life, _ now: Duration) {
        guard case .reply(let reply) = try? RequestMessage(parsing: output.frames) else { return }
        life.reporter.answered(reply, now: now)
    }
}
