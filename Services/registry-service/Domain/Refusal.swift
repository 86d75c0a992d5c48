/// A request that the registry does not carry out, with the reason for the person who made it.
struct Refusal: Error, Hashable, CustomStringConvertible {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    var description: String { reason }
}
