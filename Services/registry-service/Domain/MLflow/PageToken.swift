import Foundation
import Messages

/// Where the next page begins: behind the last row where the order is the usual one, else a number of rows.
enum PageToken: Hashable, Sendable {
    case start
    case offset(Int)
    /// The values of the last row by which rows are ordered.
    case after([JSONValue])

    init(_ text: String?) throws(MLflowError) {
        guard let text, !text.isEmpty else {
            self = .start
            return
        }
        guard let bytes = Data(base64Encoded: text) else {
            throw .invalid("Invalid page token, could not base64-decode")
        }
        let value = try? Wire.decode(JSONValue.self, from: bytes)
        if let offset = value?["offset"]?.int, offset >= 0 {
            self = .offset(offset)
        } else if let place = value?["after"]?.array {
            self = .after(place)
        } else {
            throw .invalid("Invalid page token: it is none that this server gave")
        }
    }

    /// `nil`: there is no next page.
    var text: String? {
        switch self {
        case .start: nil
        case .offset(let offset): Self.encode(["offset": .int(offset)])
        case .after(let place): Self.encode(["after": .array(place)])
        }
    }

    private static func encode(_ value: JSONValue) -> String? { try? Wire.encode(value).base64EncodedString() }

    var offset: Int { if case .offset(let offset) = self { offset } else { 0 } }
}
