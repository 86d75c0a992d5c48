import Messages

/// Answers every question for a key with a sample, and notes it.
///
/// `decodeNil` is only asked on the way to an optional value: that is how those are known.
struct RecordingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let note: ObjectNote
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    func contains(_ key: Key) -> Bool { true }

    func decodeNil(forKey key: Key) -> Bool {
        note.mayBeAbsent(key.stringValue)
        return false
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let (schema, value) = try SchemaRecorder.record(type)
        note.add(key.stringValue, schema)
        return value
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try scalar("boolean", false, key) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try scalar("string", "", key) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try scalar("number", 0, key) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try scalar("number", 0, key) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try scalar("integer", 0, key) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try scalar("integer", 0, key) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try scalar("integer", 0, key) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try scalar("integer", 0, key) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try scalar("integer", 0, key) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try scalar("integer", 0, key) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try scalar("integer", 0, key) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try scalar("integer", 0, key) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try scalar("integer", 0, key) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try scalar("integer", 0, key) }

    private func scalar<Value>(_ name: String, _ sample: Value, _ key: Key) throws -> Value {
        note.add(key.stringValue, ["type": .string(name)])
        return sample
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw Undescribed(form: "a nested container") }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw Undescribed(form: "a nested list")
    }

    func superDecoder() throws -> any Decoder { throw Undescribed(form: "a subclass") }

    func superDecoder(forKey key: Key) throws -> any Decoder { throw Undescribed(form: "a subclass") }
}
