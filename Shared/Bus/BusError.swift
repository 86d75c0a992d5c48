import Foundation

/// Why something could not be said or asked over the bus. An answer with a bad status is a ``BusReply``, not an error.
package enum BusError: Error, Sendable, Equatable {
    /// The address cannot be used; the text says why and what can.
    case address(String)
    /// A key is missing or cannot be used; the text says which and the way out, never a secret.
    case key(String)
    /// The sockets could not be opened.
    case socket(String)
    /// No answer in time, though the bus was there.
    case timedOut(method: String, target: String)
    /// The bus itself was not reached in time.
    case unreachable(method: String, target: String)
    /// The connection to the bus broke while the answer was awaited: ask again.
    case connectionLost(method: String, target: String)
    /// The asking task was canceled.
    case canceled
    /// ``BusConnection/shutdown()`` was called, or `start()` was not.
    case closed
    /// More requests are waiting than ``BusLimits/queuedRequests``.
    case tooManyRequests
    /// The request is above ``BusLimits/requestBytes``.
    case tooLarge(bytes: Int)
    /// The parameters could not be written as JSON, or an answer could not be read.
    case malformed(String)
}

extension BusError: CustomStringConvertible, LocalizedError {
    package var description: String {
        switch self {
        case .address(let problem): "bus address: \(problem)"
        case .key(let problem): "bus key: \(problem)"
        case .socket(let problem): "bus: \(problem)"
        case .timedOut(let method, let target): "bus: '\(target)' did not answer '\(method)' in time"
        case .unreachable(let method, let target):
            "bus: no event-bus was reached to ask '\(target)' for '\(method)'; is event-bus running?"
        case .connectionLost(let method, let target):
            "bus: the connection broke while '\(target)' was asked for '\(method)'"
        case .canceled: "bus: the request was canceled"
        case .closed: "bus: the connection is not open"
        case .tooManyRequests: "bus: more than \(BusLimits.queuedRequests) requests are waiting"
        case .tooLarge(let bytes):
            "bus: a request of \(bytes) bytes is above the limit of \(BusLimits.requestBytes); use the artifact store"
        case .malformed(let problem): "bus: \(problem)"
        }
    }

    package var errorDescription: String? { description }

    /// Without the words before the colon, to be told as part of another problem.
    var bare: String {
        switch self {
        case .address(let problem), .key(let problem), .socket(let problem): problem
        default: description
        }
    }
}

/// The limits of protocol MB1 (bus.md 2, 3, 5 and 6) and of this implementation.
package enum BusLimits {
    package static let topicBytes = 200
    /// Topic, header and body of a live message together.
    package static let messageBytes = 65_536
    /// All frames of a request or reply together.
    package static let requestBytes = 1_048_576
    /// Frames of a reply: 256 events of three frames each, and the envelope.
    package static let requestFrames = 1024
    /// Live messages waiting for one follower; beyond it the follower is behind and fetches.
    package static let ring = 4096
    /// Telemetry of one process that waits to be sent, and of one listener that waits to be read.
    package static let telemetryMessages = 256
    package static let telemetryBytes = 524_288
    /// Requests of one client on their way. A worker has a parked `claim`, a keepalive, a `complete` for each slot and up to
    /// two `fetch`es for each source out at once, so this is above the four of a plain client.
    package static let requestsInFlight = 32
    /// Requests waiting for one of those places.
    package static let queuedRequests = 1024
    /// Records and bytes of one `fetch`.
    package static let fetchRecords = 256
    package static let fetchBytes = 524_288
}
