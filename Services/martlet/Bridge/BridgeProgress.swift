import Messages

/// What a bridge tells of its work.
enum BridgeProgress: Sendable, Hashable {
    /// - Parameter state: the file that keeps its place.
    case begins(state: String)
    case goesOn(state: String)
    /// - Parameter id: as the receiver has it in `webhook-id`.
    case accepted(id: String)
    case refused(id: String, reason: String, retrySeconds: Int)

    /// For people, who are not told of each event that went well.
    var text: String? {
        switch self {
        case .begins(let state): "begins; its place is kept in \(state)"
        case .goesOn(let state): "goes on where \(state) says"
        case .accepted: nil
        case .refused(let id, let reason, let seconds): "\(id) is not accepted, trying again in \(seconds) s: \(reason)"
        }
    }

    var json: JSONValue {
        switch self {
        case .begins(let state): ["progress": "begins", "state": .string(state)]
        case .goesOn(let state): ["progress": "goes on", "state": .string(state)]
        case .accepted(let id): ["progress": "accepted", "id": .string(id)]
        case .refused(let id, let reason, let seconds):
            [
                "progress": "refused", "id": .string(id), "reason": .string(reason), "retrySeconds": .int(seconds),
            ]
        }
    }

    /// Programs read a line of JSON for each from standard output; people read the text on standard error.
    func tell(asJSON: Bool) {
        if asJSON {
            if let line = try? Wire.encode(json) { Terminal.say(String(decoding: line, as: UTF8.self)) }
        } else if let text {
            Terminal.complain(text)
        }
    }
}
