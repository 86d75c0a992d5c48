import Foundation

/// Makes the value that a type's JSON stands for, without writing and reading that JSON: every event that is published
/// passes here.
///
/// What comes of it is what ``JSONReader`` makes of ``Wire``'s text; the tests compare.
enum JSONTree {
    /// - Throws: `EncodingError` for a number that JSON cannot say.
    static func of(_ value: some Encodable) throws -> JSONValue {
        try Branch(path: []).tree(of: value)
    }

    /// 1.0 is written as 1, and read as an integer.
    static func number(_ value: Double, at path: [any CodingKey]) throws -> JSONValue {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: path, debugDescription: "JSON has no word for \(value)"))
        }
        return Int(exactly: value).map(JSONValue.int) ?? .double(value)
    }

    static func number(_ value: some BinaryInteger) -> JSONValue {
        Int(exactly: value).map(JSONValue.int) ?? .double(Double(value))
    }
}

/// A place in the tree that is being made: what is encoded there, or the members or items that stand there.
private final class Branch: Encoder {
    enum Content {
        case nothing
        case value(JSONValue)
        case object([String: Part])
        case array([Part])
    }

    /// Most members are plain values, which need no branch of their own.
    enum Part {
        case value(JSONValue)
        case branch(Branch)

        var tree: JSONValue? {
            switch self {
            case .value(let value): value
            case .branch(let branch): branch.tree
            }
        }
    }

    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    var content = Content.nothing

    init(path: [any CodingKey]) { codingPath = path }

    /// `nil`: nothing was encoded here.
    var tree: JSONValue? {
        switch content {
        case .nothing: nil
        case .value(let value): value
        case .object(let members): .object(members.compactMapValues(\.tree))
        case .array(let items): .array(items.map { $0.tree ?? .object([:]) })
        }
    }

    func tree<Value: Encodable>(of value: Value) throws -> JSONValue {
        switch value {
        // Its doubles may stand for whole numbers.
        case let value as JSONValue: return try Wire.decode(JSONValue.self, from: Wire.encode(value))
        // Foundation writes these in ways of its own.
        case is Date, is Data, is URL, is Decimal: return try Wire.decode(JSONValue.self, from: Wire.encode(value))
        default:
            let branch = Branch(path: codingPath)
            try value.encode(to: branch)
            guard let tree = branch.tree else {
                throw EncodingError.invalidValue(
                    value, .init(codingPath: codingPath, debugDescription: "\(Value.self) encodes nothing"))
            }
            return tree
        }
    }

    func put(_ value: JSONValue) { content = .value(value) }

    func set(_ name: String, _ part: Part) {
        guard case .object(var members) = content else {
            content = .object([name: part])
            return
        }
        // Held once, or it would be copied with each member.
        content = .nothing
        members[name] = part
        content = .object(members)
    }

    func append(_ part: Part) {
        guard case .array(var items) = content else {
            content = .array([part])
            return
        }
        content = .nothing
        items.append(part)
        content = .array(items)
    }

    func child(_ key: some CodingKey) -> Branch {
        let branch = Branch(path: codingPath + [key])
        set(key.stringValue, .branch(branch))
        return branch
    }

    func item() -> Branch {
        let branch = Branch(path: codingPath)
        append(.branch(branch))
        return branch
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = content {} else { content = .object([:]) }
        return KeyedEncodingContainer(Members<Key>(branch: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = content {} else { content = .array([]) }
        return Items(branch: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(branch: self) }
}

/// What the three kinds of containers do alike: put one value into a place.
extension Branch {
    func encodeNil() { put(.null) }
    func encode(_ value: Bool) { put(.bool(value)) }
    func encode(_ value: String) { put(.string(value)) }
    func encode(_ value: Double) throws { put(try JSONTree.number(value, at: codingPath)) }
    // The shortest text that means this Float, which is another Double than its exact value.
    func encode(_ value: Float) throws { put(try JSONTree.number(Double("\(value)") ?? .nan, at: codingPath)) }

    func encode<Value: Encodable>(_ value: Value) throws {
        switch value {
        case let text as String: encode(text)
        case let number as Int: put(.int(number))
        case let flag as Bool: encode(flag)
        case let number as Double: try encode(number)
        case let number as Float: try encode(number)
        case let number as any BinaryInteger: put(JSONTree.number(number))
        default: put(try tree(of: value))
        }
    }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let branch: Branch
    var codingPath: [any CodingKey] { branch.codingPath }

    func encodeNil(forKey key: Key) { branch.set(key.stringValue, .value(.null)) }
    func encode(_ value: Bool, forKey key: Key) { branch.set(key.stringValue, .value(.bool(value))) }
    func encode(_ value: String, forKey key: Key) { branch.set(key.stringValue, .value(.string(value))) }
    func encode(_ value: Int, forKey key: Key) { branch.set(key.stringValue, .value(.int(value))) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try branch.child(key).encode(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        branch.child(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        branch.child(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { branch.child(SuperKey()) }
    func superEncoder(forKey key: Key) -> any Encoder { branch.child(key) }
}

private struct SuperKey: CodingKey {
    var stringValue: String { "super" }
    var intValue: Int? { nil }

    init() {}
    init?(stringValue: String) { nil }
    init?(intValue: Int) { nil }
}

private struct Items: UnkeyedEncodingContainer {
    let branch: Branch
    var codingPath: [any CodingKey] { branch.codingPath }

    var count: Int {
        if case .array(let items) = branch.content { items.count } else { 0 }
    }

    func encodeNil() { branch.item().encodeNil() }
    func encode<Value: Encodable>(_ value: Value) throws { try branch.item().encode(value) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        branch.item().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { branch.item().unkeyedContainer() }
    func superEncoder() -> any Encoder { branch.item() }
}

private struct Single: SingleValueEncodingContainer {
    let branch: Branch
    var codingPath: [any CodingKey] { branch.codingPath }

    func encodeNil() { branch.encodeNil() }
    func encode<Value: Encodable>(_ value: Value) throws { try branch.encode(value) }
}
