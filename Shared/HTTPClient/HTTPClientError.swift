/// Why there is no answer. Texts name host and port at most: paths, queries and headers may hold secrets.
package enum HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Nobody listens there: the request was not sent.
    case refused(String)
    /// The connection broke: the request may or may not have been carried out.
    case lost(String)
    case timeout(String)
    /// More bytes than the request allowed.
    case tooLarge(limit: Int)
    /// The task that asked was canceled.
    case canceled
    case other(String)

    package var description: String {
        switch self {
        case .refused(let place): "\(place) refused the connection; is it running?"
        case .lost(let place): "\(place) closed the connection without an answer"
        case .timeout(let place): "\(place) did not answer in time"
        case .tooLarge(let limit): "the answer is longer than the allowed \(limit) bytes"
        case .canceled: "canceled"
        case .other(let message): message
        }
    }

    /// Worth another try: the other side may be starting, restarting or busy.
    package var isTransient: Bool {
        switch self {
        case .refused, .lost, .timeout: true
        case .tooLarge, .canceled, .other: false
        }
    }
}
