import Foundation
import Messages

#if canImport(Glibc)
    import Glibc
#endif

/// `<data>/keys`: `<client>.key` with a secret each, `event-bus.pub`, and `authorized_keys`.
package struct KeyFolder: Sendable, Hashable {
    package let path: String

    package init(path: String) { self.path = path }

    package var authorizedKeys: String { path + "/authorized_keys" }
    package var busPublicKey: String { path + "/\(Source.eventBus).pub" }
    package func keyFile(_ client: String) -> String { path + "/\(client).key" }

    /// - Throws: ``BusError/key(_:)`` with the way out; never with a secret.
    package func pair(of client: String) throws(BusError) -> KeyPair {
        let file = keyFile(client)
        let text = try read(file, hint: "make it with 'martlet keys generate \(client)'")
        try checkClosed(file)
        let (open, secret) = KeyFile.values(in: text)
        guard let key = open.flatMap({ PeerKey($0) }), let secret else {
            throw .key("\(file) has no public-key and secret-key of 40 characters; make it anew with --force")
        }
        do {
            return try KeyPair(publicKey: key, secret: secret)
        } catch {
            throw .key("\(file) cannot be used: \(error.bare); make it anew with --force")
        }
    }

    /// What `client` dials a bus with.
    package func credentials(of client: String) throws(BusError) -> BusCredentials {
        let own = try pair(of: client)
        let hint = "copy it from the machine of the bus, where 'martlet keys generate event-bus' makes it"
        let text = try read(busPublicKey, hint: hint)
        guard let bus = KeyFile.values(in: text).publicKey.flatMap({ PeerKey($0) }) else {
            throw .key("\(busPublicKey) has no public-key of 40 characters; \(hint)")
        }
        return BusCredentials(own: own, bus: bus)
    }

    private func read(_ file: String, hint: String) throws(BusError) -> String {
        do {
            return try String(contentsOfFile: file, encoding: .utf8)
        } catch CocoaError.fileReadNoSuchFile {
            throw .key("there is no \(file); \(hint)")
        } catch {
            throw .key("\(file) cannot be read: \(error.localizedDescription)")
        }
    }

    private func checkClosed(_ file: String) throws(BusError) {
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw .key("\(file) can be read by others; close it with 'chmod 600 \(file)'")
        }
    }
}

extension KeyFolder {
    /// Makes `client`'s key unless it is there; for the bus itself also `event-bus.pub`.
    /// - Returns: whether it is new.
    package func generate(_ client: String, anew: Bool = false) throws -> (pair: KeyPair, isNew: Bool) {
        try prepare()
        return try FolderLock.holding(path) {
            let exists = FileManager.default.fileExists(atPath: keyFile(client))
            let pair = exists && !anew ? try self.pair(of: client) : try KeyPair.generate()
            if !exists || anew { try AtomicFile.write(KeyFile.text(of: pair, client: client), to: keyFile(client)) }
            if client == Source.eventBus.name {
                try AtomicFile.write(
                    KeyFile.text(of: pair.publicKey, client: client), to: busPublicKey, mode: 0o644)
            }
            return (pair, !exists || anew)
        }
    }

    /// Notes by which key a client here knows the bus.
    package func know(bus key: PeerKey) throws {
        try prepare()
        try AtomicFile.write(KeyFile.text(of: key, client: Source.eventBus.name), to: busPublicKey, mode: 0o644)
    }

    /// Changes `authorized_keys` by lines, so that what others wrote there stays. Nobody else changes it meanwhile.
    /// - Returns: what `body` returns.
    package func edit<Result>(_ body: (inout [String]) throws -> Result) throws -> Result {
        try prepare()
        return try FolderLock.holding(path) {
            let before = try? String(contentsOfFile: authorizedKeys, encoding: .utf8)
            if before == nil, FileManager.default.fileExists(atPath: authorizedKeys) {
                throw BusError.key("\(authorizedKeys) cannot be read as text; correct or remove it")
            }
            var lines = (before ?? AuthorizedKeys.heading).split(
                omittingEmptySubsequences: false, whereSeparator: \.isNewline
            ).map(String.init)
            while lines.last?.isEmpty == true { lines.removeLast() }
            let result = try body(&lines)
            let after = lines.joined(separator: "\n") + "\n"
            if after != before { try AtomicFile.write(after, to: authorizedKeys) }
            return result
        }
    }

    private func prepare() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw BusError.key("cannot make the folder '\(path)': \(error.localizedDescription)")
        }
    }
}
