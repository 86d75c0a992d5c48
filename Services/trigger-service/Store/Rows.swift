import Foundation
import GRDB
import Messages

extension Row {
    /// A JSON column as its type.
    func decode<Value: Decodable>(_ type: Value.Type, _ column: String) throws -> Value {
        let bytes: Data = self[column]
        return try Wire.decode(type, from: bytes)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, _ column: String) throws -> Value? {
        guard let bytes: Data = self[column] else { return nil }
        return try Wire.decode(type, from: bytes)
    }
}
