/// Why the bus did not do what somebody wanted; the name under which it is counted and told.
enum Denial: String, Error, Sendable, CaseIterable {
    /// The connection was refused: no line authorizes this key, or it is shut out.
    case handshake
    /// The key is no longer authorized, or the message came without one.
    case key = "unknown_key"
    case publish
    /// The type belongs to another log.
    case type = "foreign_type"
    case rate
    case subscribe
    case request
    /// The params of a request are no JSON object.
    case params = "request_params"
    /// A subscriber sent something else than subscriptions.
    case upstream
    /// A name on the ROUTER that the bus did not give.
    case identity
}
