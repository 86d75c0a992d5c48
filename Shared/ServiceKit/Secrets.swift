import Foundation

/// Secrets by name, from `<data>/secrets/<NAME>`, `/run/secrets/<NAME>` or the environment (architecture, section 4).
///
/// Read when they are used, never kept: a changed file counts at once.
package struct Secrets: Sendable {
    let folders: [String]

    package init(paths: DataPaths) { folders = [paths.secrets, "/run/secrets"] }

    /// - Throws: `SecretError` that names the places looked at, never a value.
    package func value(of name: String) throws -> String {
        if let text = try stored(name) { return text }
        if let text = ProcessInfo.processInfo.environment[name] {
            KnownSecrets.shared.note(text)
            return text
        }
        throw SecretError(name: name, places: folders)
    }

    /// From a file only: an environment is inherited, and shown by tools. `nil` when there is no such file.
    /// - Throws: `SecretError` for a name that is none, and for a file that is there and cannot be read.
    package func stored(_ name: String) throws -> String? {
        guard Self.isName(name) else { throw SecretError(name: name, places: []) }
        for folder in folders {
            do {
                let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
                let value = text.trimmingCharacters(in: .newlines)
                KnownSecrets.shared.note(value)
                return value
            } catch CocoaError.fileReadNoSuchFile {
                continue
            } catch {
                throw SecretError(name: name, places: [folder], problem: SystemWords.reason(of: error))
            }
        }
        return nil
    }

    /// Letters, digits, `_` and `-`: it becomes a file's name.
    package static func isName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                $0 == 95 || $0 == 45 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            }
    }
}

package struct SecretError: Error, CustomStringConvertible, Hashable {
    package var name: String
    package var places: [String]
    /// The environment is not looked at.
    package var isFileOnly = false
    /// Why the file that is there cannot be read.
    package var problem: String?

    package var description: String {
        guard let place = places.first else {
            return "'\(name)' is not a secret's name: letters, digits, '_' and '-' only"
        }
        if let problem {
            return "secret \(name): \(place)/\(name) cannot be read: \(problem); check who owns it and its mode"
        }
        return "secret \(name) is not set: put it into \(place)/\(name)"
            + (isFileOnly ? "" : " or into the environment of the service")
    }
}
