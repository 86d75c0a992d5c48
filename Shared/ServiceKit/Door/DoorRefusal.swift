/// Why a request to a door is not done, with the way out: the only kind of error that our own APIs answer.
package struct DoorRefusal: Error, Sendable, Hashable {
    /// Of HTTP.
    package var status: Int
    package var error: String
    package var hint: String
    /// `WWW-Authenticate`, where another way of asking would be let in (RFC 9110).
    package var challenge: String?

    package init(_ status: Int, _ error: String, hint: String, challenge: String? = nil) {
        self.status = status
        self.error = error
        self.hint = hint
        self.challenge = challenge
    }
}
