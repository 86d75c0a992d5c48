import EventLog
import Foundation
import Messages

extension Chain: SchemaDescribed {
    static var sample: Chain {
        guard let chain = Chain(hex: String(repeating: "0", count: 32)) else {
            preconditionFailure("32 zeros are a chain value")
        }
        return chain
    }
    static func schema() -> JSONValue { ["type": "string", "pattern": "^[0-9a-f]{32}$"] }
}

extension Timestamp: SchemaDescribed {
    static var sample: Timestamp { Timestamp(milliseconds: 0) }
    static func schema() -> JSONValue { ["type": "string", "format": "date-time"] }
}

extension Digest: SchemaDescribed {
    static var sample: Digest {
        guard let digest = Digest("sha256:" + String(repeating: "0", count: 64)) else {
            preconditionFailure("64 zeros are a digest")
        }
        return digest
    }
    static func schema() -> JSONValue { ["type": "string", "pattern": "^sha256:[0-9a-f]{64}$"] }
}

extension Source: SchemaDescribed {
    static var sample: Source { .console }
    static func schema() -> JSONValue { ["type": "string", "pattern": "^[a-z0-9.-]{1,63}$"] }
}

extension JSONValue: SchemaDescribed {
    static var sample: JSONValue { .null }
    /// Any JSON.
    static func schema() -> JSONValue { .object([:]) }
}

extension String: SchemaDescribed {
    static var sample: String { "" }
    static func schema() -> JSONValue { ["type": "string"] }
}

extension Int: SchemaDescribed {
    static var sample: Int { 0 }
    static func schema() -> JSONValue { ["type": "integer"] }
}

extension Int64: SchemaDescribed {
    static var sample: Int64 { 0 }
    static func schema() -> JSONValue { ["type": "integer"] }
}

extension Double: SchemaDescribed {
    static var sample: Double { 0 }
    static func schema() -> JSONValue { ["type": "number"] }
}

extension Bool: SchemaDescribed {
    static var sample: Bool { false }
    static func schema() -> JSONValue { ["type": "boolean"] }
}

extension Array: SchemaDescribed where Element: Decodable {
    static var sample: [Element] { [] }
    static func schema() throws -> JSONValue {
        ["type": "array", "items": try SchemaRecorder.schema(of: Element.self)]
    }
}

extension Dictionary: SchemaDescribed where Key == String, Value: Decodable {
    static var sample: [String: Value] { [:] }
    static func schema() throws -> JSONValue {
        ["type": "object", "additionalProperties": try SchemaRecorder.schema(of: Value.self)]
    }
}
