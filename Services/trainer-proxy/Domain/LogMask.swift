import Foundation

/// Hides the values of secrets in what a process wrote.
struct LogMask: Sendable, Equatable {
    static let cover = Data("***".utf8)

    /// Longest first, so that a secret which holds another is hidden whole.
    let values: [Data]

    /// A secret of several lines is hidden line by line too: logs are looked at in lines.
    init(secrets: [String]) {
        let parts = secrets.flatMap { secret in
            [secret] + secret.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        }
        values = Set(parts.filter { !$0.isEmpty }.map { Data($0.utf8) })
            .sorted { $0.count != $1.count ? $0.count > $1.count : $0.lexicographicallyPrecedes($1) }
    }

    var longest: Int { values.first?.count ?? 0 }

    func apply(to bytes: Data) -> Data {
        values.reduce(bytes) { bytes, value in
            guard bytes.range(of: value) != nil else { return bytes }
            var masked = Data()
            var rest = bytes[...]
            while let found = rest.range(of: value) {
                masked += rest[..<found.lowerBound]
                masked += Self.cover
                rest = rest[found.upperBound...]
            }
            return masked + rest
        }
    }

    func apply(to text: String) -> String {
        values.isEmpty ? text : String(decoding: apply(to: Data(text.utf8)), as: UTF8.self)
    }

    /// Where the first secret that crosses `index` ends; `nil` when none does.
    func end(ofSecretAcross index: Data.Index, in bytes: Data) -> Data.Index? {
        for value in values {
            let start = max(bytes.startIndex, index - value.count + 1)
            let end = min(bytes.endIndex, index + value.count - 1)
            guard start < end, let found = bytes[start..<end].range(of: value) else { continue }
            if found.lowerBound < index, found.upperBound > index { return found.upperBound }
        }
        return nil
    }
}
