/// A question that the evaluator cannot judge, with what to do about it: neither a pass nor a loss (C-11).
struct Refusal: Error, Hashable, CustomStringConvertible {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    var description: String { reason }
}
