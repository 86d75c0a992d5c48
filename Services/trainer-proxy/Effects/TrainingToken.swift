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
        key = try ServiceKey.at(path)
    }

    func token(of item: String) -> TokenText {
        func hex(_ purpose: String) -> String {
            HMAC<SHA256>.authenticationCode(for: Data("\(purpose)\n\(item)".utf8), using: key)
                .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return TokenText(id: "run" + hex("id").prefix(16), secret: hex("secret"))
    }
}
