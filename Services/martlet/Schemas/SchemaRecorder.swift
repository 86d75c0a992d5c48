import Foundation
import Messages

/// Reads a type's JSON Schema off its `init(from:)`: it decodes the type from nothing and writes down what was asked for.
///
/// So the Swift type is the schema, and an enum, a digest or a time says its form where it is defined below.
enum SchemaRecorder {
    static func schema<Value: Decodable>(of type: Value.Type) throws -> JSONValue {
        try record(type).schema
    }

    /// The schema and a value of the type that decoding can go on with.
    static func record<Value: Decodable>(_ type: Value.Type) throws -> (schema: JSONValue, value: Value) {
        if let known = type as? any SchemaDescribed.Type, let value = known.sample as? Value {
            return (try known.schema(), value)
        }
        if let words = type as? any (CaseIterable & RawRepresentable).Type,
            let (schema, value) = words.wordsSchema(Value.self)
        {
            return (schema, value)
        }
        let note = ObjectNote()
        let value = try Value(from: RecordingDecoder(note: note))
        return (note.schema, value)
    }
}

/// A type whose JSON form is not that of its stored properties.
protocol SchemaDescribed {
    static var sample: Self { get }
    static func schema() throws -> JSONValue
}

extension CaseIterable where Self: RawRepresentable {
    fileprivate static func wordsSchema<Value>(_ type: Value.Type) -> (JSONValue, Value)? {
        let words = allCases.compactMap { $0.rawValue as? String }
        guard words.count == allCases.count, let first = allCases.first as? Value else { return nil }
        return (["type": "string", "enum": .array(words.map { .string($0) })], first)
    }
}

/// What has been asked for of one object. Used by one decoder on one thread, start to end.
final class ObjectNote {
    private var properties: [String: JSONValue] = [:]
    private var optional: Set<String> = []

    func add(_ name: String, _ schema: JSONValue) { properties[name] = schema }
    func mayBeAbsent(_ name: String) { optional.insert(name) }

    var schema: JSONValue {
        let required = properties.keys.filter { !optional.contains($0) }.sorted()
        return [
            "type": "object", "properties": .object(properties),
            "required": .array(required.map { .string($0) }),
        ]
    }
}

struct RecordingDecoder: Decoder {
    let note: ObjectNote
    var codingPath: [any CodingKey] = []
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(note: ObjectNote) { self.note = note }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RecordingContainer<Key>(note: note))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Undescribed(form: "a list") }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Undescribed(form: "a single value") }
}

/// A type that needs a `SchemaDescribed` conformance.
struct Undescribed: Error, CustomStringConvertible {
    var form: String

    var description: String { "a type decodes itself as \(form): say its schema in SchemaForms.swift" }
}
