import Messages

/// A YAML file that defines an environment or a data set, beside the project file. Its scalars are texts: `1.10` is no
/// number.
package enum DefinitionFile {
    /// - Throws: every error of the file, with its place.
    package static func read(_ text: String, path: String) throws(DefinitionFileError) -> JSONValue {
        var composer = TreeComposer(ProjectDocument(path: path, text: text))
        let tree = composer.compose()
        guard composer.errors.isEmpty else { throw DefinitionFileError(errors: composer.errors) }
        guard let tree, case .map = tree.value else {
            let start = FileError(file: path, line: 1, column: 1, message: "a map is expected, with a name")
            throw DefinitionFileError(errors: [start])
        }
        return value(of: tree)
    }

    private static func value(of tree: Tree) -> JSONValue {
        switch tree.value {
        case .scalar(let text, _): tree.isEmpty ? .null : .string(text)
        case .list(let items): .array(items.map(value))
        case .map(let entries):
            .object(Dictionary(entries.map { ($0.key, value(of: $0.value)) }, uniquingKeysWith: { first, _ in first }))
        }
    }
}

package struct DefinitionFileError: Error, Hashable, CustomStringConvertible {
    package var errors: [FileError]

    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
