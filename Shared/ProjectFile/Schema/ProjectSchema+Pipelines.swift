import Messages

/// Pipelines, jobs and steps.
extension ProjectSchema {
    private static var pipelineParts: [String: JSONValue] {
        [
            "name": text, "description": text, "on": ref("on"), "pr": ref("pr"),
            "parameters": named(orNothing(ref("parameter")), by: "identifier"), "environment": fixedText,
            "concurrency": any(of: text, ref("concurrency")), "defaults": named(true), "env": named(true),
            "jobs": [
                "type": "object", "propertyNames": ref("identifier"), "additionalProperties": ref("job"),
                "minProperties": 1,
            ],
        ]
    }

    private static var filePart: [String: JSONValue] {
        var own = pipelineParts
        own["martlet"] = ["enum": [1, "1"]]
        own["name"] = ref("name")
        return own
    }

    static var pipelines: [String: JSONValue] {
        [
            "pipeline": pipelineSchema,
            "pipelineFile": pipelineFileSchema,
            "concurrency": concurrencySchema,
            "job": jobSchema,
            "strategy": strategySchema,
            "matrix": matrixSchema,
            "retry": retrySchema,
            "recheck": recheckSchema,
        ]
    }

    private static var pipelineSchema: JSONValue {
        .object(
            object(
                Reading.pipelineKeys, pipelineParts, required: ["jobs"], synonyms: Reading.pipelineSynonyms))
    }

    private static var pipelineFileSchema: JSONValue {
        .object(
            object(
                Reading.pipelineKeys + ["martlet"], filePart, required: ["jobs"], synonyms: Reading.pipelineSynonyms))
    }

    private static var concurrencySchema: JSONValue {
        .object(
            object(
                Reading.concurrencyKeys,
                [
                    "group": text, "max": integer(1...10_000),
                    "on_conflict": words(of: Concurrency.OnConflict.self),
                ], required: ["group"]))
    }

    private static var jobSchema: JSONValue {
        .object(
            object(
                Reading.jobKeys,
                [
                    "name": text, "description": text, "needs": texts, "if": text, "environment": fixedText,
                    "matrix": ref("matrix"), "retry": any(of: integer(0...100), ref("retry")), "timeout": duration,
                    "recheck": ref("recheck"), "env": named(true), "with": named(true), "outputs": named(true),
                    "steps": ["type": "array", "minItems": 1, "items": ref("step")], "strategy": ref("strategy"),
                ], required: ["steps"], synonyms: Reading.jobSynonyms))
    }

    private static var strategySchema: JSONValue {
        .object(
            object(
                Reading.strategyKeys, ["matrix": ref("matrix"), "max_parallel": integer(1...10_000)],
                synonyms: Reading.strategySynonyms))
    }

    private static var matrixSchema: JSONValue {
        [
            "type": "object", "minProperties": 1, "propertyNames": ref("name"),
            "properties": [
                "include": list(of: orNothing(named(true))), "exclude": list(of: orNothing(named(true))),
                "max_parallel": integer(1...10_000),
            ],
            "additionalProperties": ["type": "array", "minItems": 1],
        ]
    }

    private static var retrySchema: JSONValue {
        .object(object(Reading.retryKeys, ["max": integer(0...100), "backoff": duration]))
    }

    private static var recheckSchema: JSONValue {
        .object(object(Reading.recheckKeys, [:], required: ["champion_unchanged"]))
    }

    static var steps: [String: JSONValue] {
        let script: JSONValue = ["$ref": "#/$defs/text", "description": "A script for the shell."]
        var step = object(
            Reading.stepKeys,
            [
                "id": ref("identifier"), "name": text, "if": text, "run": script,
                "uses": any(of: words(Verbs.keys.keys.sorted()), ["type": "string", "pattern": "^[^/]+/[^/]+$"]),
                "with": ["type": "object"], "env": named(true), "continue_on_error": flag, "timeout": duration,
            ], required: ["run", "uses"], synonyms: Reading.stepSynonyms)
        step["required"] = nil
        step["oneOf"] = .array(["run", "script", "uses", "task"].map { ["required": [.string($0)]] })
        let verbs = Verbs.keys.keys.sorted().flatMap { verb in
            [("uses", "with"), ("uses", "inputs"), ("task", "with"), ("task", "inputs")].map {
                uses, with -> JSONValue in
                [
                    "if": ["required": [.string(uses)], "properties": [uses: ["const": .string(verb)]]],
                    "then": ["properties": [with: ref("with-" + verb.replacing("/", with: "-"))]],
                ]
            }
        }
        step["allOf"] = .array((step["allOf"]?.array ?? []) + verbs)
        var all: [String: JSONValue] = ["step": .object(step)]
        for verb in Verbs.keys.keys { all["with-" + verb.replacing("/", with: "-")] = orNothing(with(verb)) }
        return all
    }

    /// What a verb needs may come from the pipeline's `defaults`, so nothing is required here.
    private static func with(_ verb: String) -> JSONValue {
        let keys = Verbs.names(in: Verbs.keys[verb] ?? "")
        var properties: [String: JSONValue] = [:]
        for (key, known) in Verbs.words[verb] ?? [:] {
            var forms = [words(known), ["type": "string", "pattern": "\\$\\{\\{"]]
            if Verbs.maps[verb]?.contains(key) == true { forms.append(["type": "object"]) }
            properties[key] = ["anyOf": .array(forms)]
        }
        return .object(object(keys, properties))
    }
}
