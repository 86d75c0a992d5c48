import Messages

/// Secrets travel as `{"secret": "NAME"}` and become values only where a process is started.
struct Revealing {
    /// How a name becomes a value.
    let look: (String) throws -> String
    /// What was revealed, to be hidden in logs.
    private(set) var values: [String] = []

    init(look: @escaping (String) throws -> String) { self.look = look }

    mutating func value(_ value: JSONValue) throws -> JSONValue {
        switch value {
        case .object(let members):
            if let name = SecretReference.name(in: value) { return .string(try reveal(name)) }
            var revealed: [String: JSONValue] = [:]
            for (name, member) in members { revealed[name] = try self.value(member) }
            return .object(revealed)
        case .array(let items):
            var revealed: [JSONValue] = []
            for item in items { revealed.append(try self.value(item)) }
            return .array(revealed)
        case .null, .bool, .int, .double, .string: return value
        }
    }

    /// A variable is a text, so a reference in it is the reference's JSON.
    mutating func variable(_ text: String) throws -> String {
        guard let name = SecretReference.name(inText: text) else { return text }
        return try reveal(name)
    }

    private mutating func reveal(_ name: String) throws -> String {
        let value = try look(name)
        values.append(value)
        return value
    }
}

extension LogMask {
    /// Also what a script hands on as its output must not carry a secret into events.
    func apply(to value: JSONValue) -> JSONValue {
        guard !values.isEmpty else { return value }
        switch value {
        case .string(let text): return .string(apply(to: text))
        case .array(let items): return .array(items.map { apply(to: $0) })
        case .object(let members):
            return .object(
                Dictionary(members.map { (apply(to: $0.key), apply(to: $0.value)) }, uniquingKeysWith: { $1 }))
        case .null, .bool, .int, .double: return value
        }
    }
}
