import Bus
import Foundation

/// Answers libzmq's question whether a connection may be made. It is bound before any other socket of its context, and
/// served by the thread of those sockets: when that ends, the bus ends.
struct ZapDoor: ~Copyable {
    let socket: Socket

    init(in context: borrowing SocketContext) throws(BusError) {
        let socket = try Socket(.rep, in: context, options: SocketOption.rep)
        try socket.bind(to: "inproc://zeromq.zap.01")
        self.socket = socket
    }

    func answer(_ authority: Authority, _ counts: BusCounts, refusing shutOut: Set<PeerKey> = []) {
        while let (frames, cut) = socket.receive(limit: 16) {
            let request = cut ? nil : ZapRequest(parsing: frames)
            var admitted: PeerKey?
            if let request, !shutOut.contains(request.key), authority.admits(request.key) {
                admitted = request.key
            } else {
                let name = authority.client(request?.key)?.name ?? "unknown"
                let place = request.map { "\($0.door.rawValue) from \($0.address)" }
                counts.denied(.handshake, client: name, key: request?.key, example: place ?? "malformed")
            }
            _ = socket.send(ZapReply.frames(to: frames, admitting: admitted))
        }
    }
}
