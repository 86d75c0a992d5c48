import Crypto
import Foundation
import Messages

/// SHA-256 over pieces. Alone in its file because swift-crypto has a `Digest` too.
struct ContentHash {
    private var hash = SHA256()

    mutating func update(_ piece: Data) { hash.update(data: piece) }

    var digest: Messages.Digest {
        guard let digest = Messages.Digest(bytes: Data(hash.finalize())) else {
            preconditionFailure("SHA-256 has 32 bytes")
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
