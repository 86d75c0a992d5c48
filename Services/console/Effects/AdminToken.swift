import Foundation
import ServiceKit
import Store

/// The token that the CLI on this machine finds by itself: `<data>/tokens/admin`, for its owner's eyes only.
enum AdminToken {
    static let name = "admin"

    /// Makes the file when it is missing, and lets in what it holds: also after the database was restored or lost.
    /// Services are told of all tokens that they have not been told of.
    static func ensure(at path: String, in store: StateStore) async throws {
        let token: TokenText
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            guard let known = TokenText(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw SettingsError(key: path, problem: "holds no token; remove the file and start again")
            }
            token = known
        } else {
            token = TokenMint.mint()
            try write(token.text, to: path)
        }
        let stored = TokenMint.stored(token, name: name, role: .admin, groups: [])
        try await store.write { transaction in
            try transaction.tellOfOlderTokens()
            if try transaction.knowsToken(stored.id) { return }
            try transaction.insert(stored, by: "service:console")
        }
    }

    private static func write(_ text: String, to path: String) throws {
        let temporary = path + ".new"
        try? FileManager.default.removeItem(atPath: temporary)
        // Closed to others before it has anything to read.
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: temporary)
        else { throw SettingsError(key: path, problem: "cannot be written; check the folder and its owner") }
        try file.write(contentsOf: Data((text + "\n").utf8))
        try file.synchronize()
        try file.close()
        try FileManager.default.moveItem(atPath: temporary, toPath: path)
    }
}
