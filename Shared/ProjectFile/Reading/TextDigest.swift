import Crypto
import Foundation

/// `sha256:…` of several texts, each with its length, so that no two lists of texts have the same.
enum TextDigest {
    static func of(_ texts: some Sequence<String>) -> String {
        var hash = SHA256()
        for text in texts {
            hash.update(data: Data("\(text.utf8.count):".utf8))
            hash.update(data: Data(text.utf8))
        }
        return "sha256:" + hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
