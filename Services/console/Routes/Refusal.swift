import ServiceKit

/// Why a request is not done, with the way out: the API's only kind of error.
typealias Refusal = DoorRefusal

extension Refusal {
    static func missing(_ kind: String, _ name: String, among known: [String], list: String) -> Refusal {
        let hint = nearest(name, among: known).map { "did you mean '\($0)'?" } ?? "'\(list)' shows what there is"
        return Refusal(404, "no \(kind) '\(name)'", hint: hint)
    }
}
