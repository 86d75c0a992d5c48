import Foundation

/// `{"secret": "NAME"}`: how a secret travels. It becomes a value only where a process is started or something is sent.
///
/// Whoever follows a reference and whoever refuses one reads it here, so that the two cannot differ.
package enum SecretReference {
    /// The name in `{"secret": "NAME"}`; `nil` for every other value.
    package static func name(in value: JSONValue) -> String? {
        guard let members = value.object, members.count == 1 else { return nil }
        return members["secret"]?.string
    }

    /// The same of a process's variable: that is a text, so a reference in it is the reference's JSON.
    ///
    /// The text is read before it is judged: JSON has many ways to write one word.
    package static func name(inText text: String) -> String? {
        guard text.utf8.first == UInt8(ascii: "{"),
            let value = try? Wire.decode(JSONValue.self, from: Data(text.utf8))
        else { return nil }
        return name(in: value)
    }

    /// The first name that somebody finds who follows every reference in a value, at any depth.
    package static func first(in value: JSONValue) -> String? {
        switch value {
        case .object(let members):
            if let name = name(in: value) { return name }
            return members.sorted { $0.key < $1.key }.lazy.compactMap { first(in: $0.value) }.first
        case .array(let items): return items.lazy.compactMap { first(in: $0) }.first
        case .null, .bool, .int, .double, .string: return nil
        }
    }
}
