import Foundation
import Messages

/// A request as it travels: `[""] ["MB1"] [correlation] [method] [target] [deadline ms] [params] [body…]` (bus.md 6).
package struct RequestFrames: Sendable, Equatable {
    package static let magic = Data("MB1".utf8)
    package static let correlationBytes = 16

    /// 16 bytes, unique among what one side has asked.
    package var correlation: Data
    package var method: String
    package var target: String
    package var deadline: Duration
    /// JSON, as received: parsed where it is needed.
    package var params: Data
    package var body: [Data]

    package init(
        correlation: Data, method: String, target: String, deadline: Duration, params: Data, body: [Data] = []
    ) {
        self.correlation = correlation
        self.method = method
        self.target = target
        self.deadline = deadline
        self.params = params
        self.body = body
    }

    package var frames: [Data] {
        [
            Data(), Self.magic, correlation, Data(method.utf8), Data(target.utf8),
            Data(String(deadline.wholeMilliseconds).utf8), params,
        ] + body
    }
}

/// A reply as it travels: `[""] ["MB1"] [correlation] [status] [params] [body…]`.
package struct ReplyFrames: Sendable, Equatable {
    package var correlation: Data
    package var status: Int
    package var params: Data
    package var body: [Data]

    package init(correlation: Data, status: Int, params: Data, body: [Data] = []) {
        self.correlation = correlation
        self.status = status
        self.params = params
        self.body = body
    }

    package var frames: [Data] {
        [Data(), RequestFrames.magic, correlation, Data(String(status).utf8), params] + body
    }

    /// The bus's own word that the target never saw the request: it may be asked over another bus.
    var isUndelivered: Bool {
        guard status == 503, params.count < 1_000 else { return false }
        return (try? Wire.decode(JSONValue.self, from: params))?[Self.undelivered] == true
    }

    package static let undelivered = "undelivered"
}

/// Why a request or reply was dropped; the name under which it is counted.
package enum RequestDrop: String, Error, Sendable, CaseIterable {
    case frames = "frame_count"
    case size
    case magic
    case correlation
    case method
    case target
    case deadline
}

/// What came through a DEALER or ROUTER, its identity frame taken off.
package enum RequestMessage: Sendable, Equatable {
    case request(RequestFrames)
    case reply(ReplyFrames)

    /// Deadlines above this are cut: a table entry must end some day.
    package static let longestDeadline = Duration.seconds(120)

    package init(parsing frames: [Data]) throws(RequestDrop) {
        guard (5...BusLimits.requestFrames).contains(frames.count) else { throw .frames }
        guard frames.reduce(0, { $0 + $1.count }) <= BusLimits.requestBytes else { throw .size }
        guard frames[0].isEmpty, frames[1] == RequestFrames.magic else { throw .magic }
        guard frames[2].count == RequestFrames.correlationBytes else { throw .correlation }
        if let status = Self.status(frames[3]) {
            self = .reply(
                ReplyFrames(correlation: frames[2], status: status, params: frames[4], body: Array(frames[5...]))
            )
            return
        }
        guard frames.count >= 7 else { throw .frames }
        guard let method = Self.method(frames[3]) else { throw .method }
        guard let target = Source(checking: String(decoding: frames[4], as: UTF8.self)) else { throw .target }
        guard frames[5].count <= 9, frames[5].allSatisfy({ (0x30...0x39).contains($0) }),
            let milliseconds = Int(String(decoding: frames[5], as: UTF8.self))
        else { throw .deadline }
        self = .request(
            RequestFrames(
                correlation: frames[2],
                method: method,
                target: target.name,
                deadline: min(.milliseconds(milliseconds), Self.longestDeadline),
                params: frames[6],
                body: Array(frames[7...])
            )
        )
    }

    /// Three digits; a method never begins with one, which is how the two are told apart.
    private static func status(_ frame: Data) -> Int? {
        guard frame.count == 3, frame.allSatisfy({ (0x30...0x39).contains($0) }),
            let status = Int(String(decoding: frame, as: UTF8.self)), (200...599).contains(status)
        else { return nil }
        return status
    }

    /// `[a-z][a-z0-9._-]{0,63}`.
    private static func method(_ frame: Data) -> String? {
        guard (1...64).contains(frame.count), let first = frame.first, (0x61...0x7a).contains(first),
            frame.allSatisfy({
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d || $0 == 0x5f
            })
        else { return nil }
        return String(decoding: frame, as: UTF8.self)
    }
}

extension Duration {
    /// Rounded down, never negative.
    package var wholeMilliseconds: Int64 {
        max(0, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }

    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
