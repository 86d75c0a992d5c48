import Bus
import Foundation
import ServiceKit
import Store

/// The token that the CLI on this machine finds by itself: `<data>/tokens/admin`, for its owner's eyes only.
enum AdminToken {
    static let name = "admin"

    /// Makes the file when it is missing, and lets in what it holds: also after the database was restored or lost.
    /// Services are told of all tokens that they have not been told of.
    static func ensure(at path: String, in store: StateStore) async throws {
        let token = try FolderLock.holding((path as NSString).deletingLastPathComponent) { try kept(at: path) }
        let stored = TokenMint.stored(token, name: name, role: .admin, groups: [])
        try await store.write { transaction in
            try transaction.tellOfOlderTokens()
            if try transaction.knowsToken(stored.id) { return }
            try transaction.insert(stored, by: "service:console")
        }
    }

    /// What the file holds. Replicas that start together find one file: whoever is second reads what the first one made.
    private static func kept(at path: String) throws -> TokenText {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            let token = TokenMint.mint()
            try AtomicFile.write(token.text + "\n", to: path)
            return token
        }
        guard let known = TokenText(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw SettingsError(key: path, problem: "holds no token; remove the file and start again")
        }
        return known
    }
}
