/// Why a request is not done, with the way out: the API's only kind of error.
struct Refusal: Error, Sendable, Hashable {
    var status: Int
    var error: String
    var hint: String

    init(_ status: Int, _ error: String, hint: String) {
        self.status = status
        self.error = error
        self.hint = hint
    }

    static func missing(_ kind: String, _ name: String, among known: [String], list: String) -> Refusal {
        let hint = nearest(name, among: known).map { "did you mean '\($0)'?" } ?? "'\(list)' shows what there is"
        return Refusal(404, "no \(kind) '\(name)'", hint: hint)
    }
}
