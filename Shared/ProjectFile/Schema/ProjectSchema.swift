import Messages

/// The JSON Schema of the project file for editors, made from the tables that the reader itself goes by.
///
/// It says what a schema can say: which keys there are and what kind of value they have. Whether names lead somewhere,
/// jobs need each other or an expression can be read, only `martlet validate` knows.
package enum ProjectSchema {
    /// A name and no place, as `EventBody.schemaURI`.
    package static let uri = "https://martlet.dev/martlet.schema.json"

    package static var document: JSONValue {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": .string(uri),
            "title": "martlet.yml",
            "description": """
            Martlet's project file, or one pipeline of its own under mlops/pipelines/. \
            'martlet validate' checks what a schema cannot.
            """,
            "if": ["type": "object", "required": ["jobs"]],
            "then": ref("pipelineFile"), "else": ref("project"),
            "$defs": .object(definitions),
        ]
    }

    private static var definitions: [String: JSONValue] {
        var all = scalars
        for part in [settings, models, triggers, pipelines, steps] { all.merge(part) { $1 } }
        return all
    }

    // MARK: - building blocks

    static func ref(_ name: String) -> JSONValue { ["$ref": .string("#/$defs/\(name)")] }

    /// A map whose keys are known. A key with nothing behind it counts as not there, unless it is required.
    static func object(
        _ keys: [String], _ properties: [String: JSONValue], required: [String] = [],
        synonyms: [String: String] = [:]
    ) -> [String: JSONValue] {
        var all: [String: JSONValue] = [:]
        for key in keys {
            let schema = properties[key] ?? true
            all[key] = required.contains(key) || schema == true ? schema : orNothing(schema)
        }
        for (other, key) in synonyms { all[other] = all[key] }
        var object: [String: JSONValue] = [
            "type": "object", "properties": .object(all), "additionalProperties": false,
        ]
        if !required.isEmpty { object["required"] = .array(required.map(JSONValue.string)) }
        let doubled = synonyms.sorted { $0.key < $1.key }.map { other, key -> JSONValue in
            ["not": ["required": [.string(other), .string(key)]]]
        }
        if !doubled.isEmpty { object["allOf"] = .array(doubled) }
        return object
    }

    static func any(of schemas: JSONValue...) -> JSONValue { ["anyOf": .array(schemas)] }

    static func orNothing(_ schema: JSONValue) -> JSONValue { any(of: schema, ["type": "null"]) }

    static func list(of item: JSONValue) -> JSONValue { ["type": "array", "items": item] }

    /// A map whose keys are names of the user's choice.
    static func named(_ value: JSONValue, by name: String = "name") -> JSONValue {
        ["type": "object", "propertyNames": ref(name), "additionalProperties": value]
    }

    /// A word is read as text: `max: 1` is the word `1`.
    static func words(_ words: some Sequence<String>) -> JSONValue {
        [
            "enum": .array(
                words.flatMap { word -> [JSONValue] in [.string(word)] + (Int(word).map { [.int($0)] } ?? []) })
        ]
    }

    static func words<Word: RawRepresentable & CaseIterable>(of _: Word.Type) -> JSONValue
    where Word.RawValue == String {
        words(Word.allCases.map(\.rawValue))
    }

    static func integer(_ range: ClosedRange<Int>) -> JSONValue {
        ["type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)]
    }

    static let text = ref("text")
    static let fixedText = ref("fixedText")
    static let texts = ref("texts")
    static let flag: JSONValue = ["type": "boolean"]
    static let duration = ref("duration")
    static let nothing: JSONValue = ["type": "null"]

    private static let textKinds: JSONValue = ["string", "number", "boolean"]
    private static let noExpression: JSONValue = ["type": "string", "pattern": "\\$\\{\\{"]

    private static let scalars: [String: JSONValue] = [
        "name": ["type": textKinds, "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9_.-]{1,100}$"],
        "identifier": ["type": textKinds, "pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,99}$"],
        "text": ["type": textKinds],
        "fixedText": ["type": textKinds, "not": noExpression],
        "texts": any(of: text, nothing, list(of: text)),
        "duration": [
            "type": "string", "pattern": "^([0-9]{1,9}(ms|s|m|h|d|w))+$",
            "description": "30d, 12h, 1h30m, 5s, 250ms",
        ],
        "pattern": [
            "type": textKinds, "minLength": 1, "maxLength": 500, "not": any(of: noExpression, ["const": "!"]),
            "description": "As in GitHub Actions: * stops at /, ** does not; x? is no x or one, x+ many; ! takes out.",
        ],
        "patterns": any(
            of: ref("pattern"), nothing, list(of: ref("pattern")),
            .object(object(Reading.patternKeys, ["include": ref("patterns"), "exclude": ref("patterns")]))),
        "scalars": any(of: text, nothing, list(of: ref("scalars"))),
    ]
}
