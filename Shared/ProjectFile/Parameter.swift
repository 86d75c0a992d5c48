import Messages

/// A value that whoever starts a pipeline may hand in.
package struct Parameter: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case string, number, boolean, choice
        case modelVersion = "model-version"
    }

    package var name: String
    package var kind: Kind
    package var required: Bool
    package var `default`: Template?
    /// What a `choice` may be.
    package var options: [JSONValue]
    package var label: String?
    package var description: String?
}
