import Crypto
import Foundation
import ServiceKit

/// The token with which the code of one execution speaks with the registry.
///
/// It follows from a key of this service and from the work item, so that a restart finds it again and nothing but the
/// key has to be kept; events carry its digest only.
struct TrainingToken: Sendable {
    private let key: SymmetricKey

    /// - Parameter path: of the key; made when it is missing, for its owner's eyes only.
    init(keyAt path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            let new = path + "." + UUID().uuidString.lowercased()
            let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            guard
                FileManager.default.createFile(
                    atPath: new, contents: bytes, attributes: [.posixPermissions: 0o600])
            else { throw SettingsError(key: path, problem: "cannot be written; check the folder and its owner") }
            // Of several replicas one is first; the others use its key.
            link(new, path)
            unlink(new)
        }
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count == 32 else {
            throw SettingsError(key: path, problem: "holds no key of 32 bytes; remove the file and start again")
        }
        key = SymmetricKey(data: bytes)
    }

    func token(of item: String) -> TokenText {
        func hex(_ purpose: String) -> String {
            HMAC<SHA256>.authenticationCode(for: Data("\(purpose)\n\(item)".utf8), using: key)
                .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return TokenText(id: "run" + hex("id").prefix(16), secret: hex("secret"))
    }
}
