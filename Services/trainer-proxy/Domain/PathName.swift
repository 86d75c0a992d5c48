import Foundation

/// Names from project files as parts of paths.
enum PathName {
    /// The same name for the same text and for no other, without `/` and never `.` or `..`.
    static func part(_ text: String) -> String {
        let escaped = text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            return isPlain || byte == 45 || byte == 95 || byte == 46
                ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16)
        }.joined()
        return escaped.hasPrefix(".") ? "%2e" + escaped.dropFirst() : escaped.isEmpty ? "%" : escaped
    }

    /// `nil` unless the path stays inside the folder that it is relative to.
    static func inside(_ path: String) -> String? {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard !path.hasPrefix("/"), !path.contains("\0"), !parts.isEmpty, !parts.contains("..") else { return nil }
        return parts.joined(separator: "/")
    }
}
