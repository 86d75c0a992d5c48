import Bus
import CZMQ
import Foundation

/// What libzmq asks about a connection before it lets it in (ZeroMQ RFC 27).
struct ZapRequest: Sendable, Equatable {
    var door: Authority.Door
    var key: PeerKey
    var address: String

    /// `nil` for anything but a CURVE handshake at one of our doors: it is refused.
    init?(parsing frames: [Data]) {
        guard frames.count == 7, frames[0] == Data("1.0".utf8), frames[5] == Data("CURVE".utf8), frames[6].count == 32,
            let door = Authority.Door(rawValue: String(decoding: frames[2], as: UTF8.self)),
            let key = Self.encoded(frames[6])
        else { return nil }
        self.door = door
        self.key = key
        address = String(decoding: frames[3].prefix(64), as: UTF8.self)
    }

    private static func encoded(_ bytes: Data) -> PeerKey? {
        var text = [CChar](repeating: 0, count: PeerKey.length + 1)
        let done = bytes.withUnsafeBytes { zmq_z85_encode(&text, $0.bindMemory(to: UInt8.self).baseAddress, $0.count) }
        guard done != nil else { return nil }
        return PeerKey(String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}

/// The answer. The User-Id is the key, not the client's name: a revoked key of a client that has another is still revoked.
enum ZapReply {
    /// 300 and not 400: libzmq never tries again after a 400, so a client would have to be restarted when its key is
    /// authorized after all, or after a moment in which the file was being written.
    static func frames(to request: [Data], admitting key: PeerKey?) -> [Data] {
        let id = request.count > 1 ? request[1] : Data()
        let (status, text) = key == nil ? ("300", "not authorized") : ("200", "")
        return [Data("1.0".utf8), id, Data(status.utf8), Data(text.utf8), Data((key?.text ?? "").utf8), Data()]
    }
}
