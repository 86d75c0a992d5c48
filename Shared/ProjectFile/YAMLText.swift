import Messages
import Yams

/// JSON as YAML for people: blocks, sorted keys, and quotes only where they are needed.
package enum YAMLText {
    package static func of(_ value: JSONValue) throws -> String {
        try Yams.serialize(node: node(value), width: 120, sortKeys: true)
    }

    private static func node(_ value: JSONValue) -> Node {
        switch value {
        case .null: .scalar(.init("null", Tag(.null)))
        case .bool(let value): .scalar(.init(String(value), Tag(.bool)))
        case .int(let value): .scalar(.init(String(value), Tag(.int)))
        case .double(let value): .scalar(.init(String(value), Tag(.float)))
        case .string(let text): .scalar(scalar(text))
        case .array(let items): .sequence(.init(items.map(node)))
        case .object(let members):
            .mapping(.init(members.sorted { $0.key < $1.key }.map { (.scalar(scalar($0.key)), node($0.value)) }))
        }
    }

    /// Plain where YAML would read it back as this text.
    private static func scalar(_ text: String) -> Node.Scalar {
        text.contains("\n") ? .init(text, Tag(.str), .literal) : text.represented()
    }
}
