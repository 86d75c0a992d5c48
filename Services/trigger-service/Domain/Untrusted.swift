import Foundation
import Messages
import ProjectFile

/// What a run may do whose commit nobody vouches for, as that of a fork's pull request: its project file is a stranger's
/// as well.
enum Untrusted {
    /// Verbs that only compute. A stranger's pipeline may be called as it likes, so `set_by` alone protects nothing.
    private static let computing = [
        "run", "train/run", "env/build", "env/ensure", "evaluate/*", "artifact/*", "checks/*", "registry/resolve",
        "registry/download", "notify/pull-request",
    ]

    static func check(
        _ verb: String, _ with: JSONValue, _ variables: [String: String]
    ) throws(EvaluationError) {
        guard computing.contains(where: { StepWork.pattern($0, covers: verb) }) else {
            throw EvaluationError(
                message: "a fork's pull request may not use '\(verb)': it would act in this repository's name")
        }
        if let name = left(by: verb, with) {
            throw EvaluationError(
                message: "a fork's pull request may not give the project \(name): other runs would take it for ours")
        }
        if let name = secret(in: with) ?? variables.values.compactMap(secret(inText:)).sorted().first {
            throw EvaluationError(message: "a fork's pull request gets no secrets, and this step asks for '\(name)'")
        }
    }

    /// What a step would leave under a name, by which trusted runs find it.
    private static func left(by verb: String, _ with: JSONValue) -> String? {
        func says(_ value: JSONValue?) -> Bool { value.map { $0 != .null && $0 != "" } ?? false }
        let validates = with["validate_only"].map { $0 == true || $0 == "true" } ?? false
        return switch verb {
        case "train/run" where says(with["dataset"]?["path"]): "a version of a data set"
        case "env/ensure" where says(with["files"]) && !validates: "a named environment"
        default: nil
        }
    }

    private static func secret(in value: JSONValue) -> String? {
        switch value {
        case .object(let members):
            if let name = members["secret"] { return name.string ?? "?" }
            return members.sorted { $0.key < $1.key }.lazy.compactMap { secret(in: $0.value) }.first
        case .array(let items): return items.lazy.compactMap(secret(in:)).first
        // A reference that was made into a text is still one for some workers.
        case .string(let text): return secret(inText: text)
        case .null, .bool, .int, .double: return nil
        }
    }

    /// More than is followed: also one with words around it, or in a text inside a text. What the text looks like says
    /// nothing, for JSON has many ways to write one word.
    private static func secret(inText text: String) -> String? {
        if let name = SecretReference.name(inText: text) { return name }
        guard let start = text.utf8.firstIndex(of: UInt8(ascii: "{")),
            let end = text.utf8.lastIndex(of: UInt8(ascii: "}")), start < end,
            let value = try? Wire.decode(JSONValue.self, from: Data(text.utf8[start...end]))
        else { return nil }
        return secret(in: value)
    }
}
