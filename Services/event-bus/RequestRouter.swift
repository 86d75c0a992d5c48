import Bus
import Foundation
import Logging
import Synchronization

/// The ROUTER and its thread around ``RouterTable``.
final class RequestRouter: Sendable {
    private let address: BusAddress
    private let heads: RememberedHeads
    private let counts: BusCounts
    private let life: UInt64
    private let logger: Logger
    private let wakeup: Wakeup
    private let isStopping = Mutex(false)

    init(
        address: BusAddress, life: UInt64, heads: RememberedHeads, counts: BusCounts, logger: Logger
    ) throws(BusError) {
        self.address = address
        self.life = life
        self.heads = heads
        self.counts = counts
        self.logger = logger
        wakeup = try Wakeup()
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
            let router = try Socket(.router, in: context, options: SocketOption.router)
            try router.bind(to: address.requests)
            bound(nil)
            route(router)
        } catch {
            bound(error)
        }
    }

    private func route(_ router: borrowing Socket) {
        var table = RouterTable(life: life)
        var poll = PollSet()
        poll.add(router)
        poll.add(wakeup)
        let start = ContinuousClock.now
        while !isStopping.withLock({ $0 }) {
            wakeup.clear()
            var more = true
            for _ in 0..<256 {
                guard let (frames, cut) = router.receive(limit: BusLimits.requestFrames + 2) else {
                    more = false
                    break
                }
                send(handle(frames, cut, &table, now: .now - start), from: router, &table)
            }
            send(table.expire(now: .now - start), from: router, &table)
            let pause = table.nextDeadline.map { max(.zero, $0 - (.now - start)) }
            poll.wait(more ? .zero : pause)
        }
    }

    private func handle(
        _ frames: [Data], _ cut: Bool, _ table: inout RouterTable, now: Duration
    ) -> [RouterTable.Output] {
        guard let identity = frames.first else { return [] }
        do throws(RequestDrop) {
            if cut { throw .frames }
            switch try RequestMessage(parsing: Array(frames.dropFirst())) {
            case .request(let request):
                counts.requested()
                return table.request(request, from: identity, heads: heads, now: now)
            case .reply(let reply):
                if let output = table.reply(reply, from: identity) { return [output] }
                counts.dropped("late_reply")
            }
        } catch {
            counts.dropped("request_\(error.rawValue)")
        }
        return []
    }

    private func send(_ outputs: [RouterTable.Output], from router: borrowing Socket, _ table: inout RouterTable) {
        var outputs = outputs[...]
        while let output = outputs.popFirst() {
            let sent = router.send([output.to] + output.frames)
            guard sent != .sent else { continue }
            if let correlation = output.correlation {
                outputs += table.undelivered(correlation, isGone: sent == .unroutable)
            } else {
                counts.dropped("client_gone")
            }
        }
    }
}
