import Crypto
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A key that one service has in its own folder, and nobody else: made at first use, for its owner's eyes only.
package enum ServiceKey {
    /// - Throws: `ServiceKeyError` for a file that cannot be made or holds no key.
    package static func at(_ path: String) throws(ServiceKeyError) -> SymmetricKey {
        if !FileManager.default.fileExists(atPath: path) { try make(path) }
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count == 32 else {
            throw ServiceKeyError(
                path: path, problem: "holds no key of 32 bytes; remove the file and start the service again")
        }
        return SymmetricKey(data: bytes)
    }

    /// Of several replicas one is first; the others use its key.
    private static func make(_ path: String) throws(ServiceKeyError) {
        let new = path + "." + UUID().uuidString.lowercased()
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        defer { unlink(new) }
        guard
            FileManager.default.createFile(atPath: new, contents: bytes, attributes: [.posixPermissions: 0o600]),
            // What is sealed with it may be on the disk before the key is.
            isSynchronized(new), link(new, path) == 0 || errno == EEXIST,
            isSynchronized((path as NSString).deletingLastPathComponent)
        else { throw ServiceKeyError(path: path, problem: "cannot be written; check the folder and its owner") }
    }

    private static func isSynchronized(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return fsync(file) == 0
    }
}

package struct ServiceKeyError: Error, Hashable, CustomStringConvertible {
    package var path: String
    package var problem: String

    package init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { "\(path): \(problem)" }
}
