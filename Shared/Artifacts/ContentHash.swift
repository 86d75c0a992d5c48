import Crypto
import Foundation
import Messages

/// SHA-256 over pieces. Alone in its file because swift-crypto has a `Digest` too.
struct ContentHash {
    private var hash = SHA256()

    mutating func update(_ piece: Data) { hash.update(data: piece) }

    var digest: Messages.Digest {
        let hex = hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
        guard let digest = Messages.Digest("sha256:" + hex) else {
            preconditionFailure("SHA-256 has 64 hex digits")
        }
        return digest
    }
}

extension Messages.Digest {
    /// The content address of these bytes.
    package init(of bytes: Data) {
        var hash = ContentHash()
        hash.update(bytes)
        self = hash.digest
    }
}
