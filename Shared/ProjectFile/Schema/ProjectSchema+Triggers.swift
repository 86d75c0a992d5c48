import Messages

/// `on:` and what may stand under it.
extension ProjectSchema {
    /// Those that say enough by themselves.
    private static let bareTriggers = ["push", "pull_request", "tag", "manual", "model", "none"]

    static var triggers: [String: JSONValue] {
        [
            "on": onSchema,
            "pr": prSchema,
            "change": changeSchema,
            "tag": tagSchema,
            "comment": commentSchema,
            "manual": manualSchema,
            "completion": completionSchema,
            "modelTrigger": modelTriggerSchema,
            "event": eventSchema,
            "schedule": scheduleSchema,
            "all": allSchema,
            "part": partSchema,
            "parameter": parameter,
        ]
    }

    private static var onSchema: JSONValue {
        any(
            of: words(bareTriggers), nothing, list(of: text), ref("change"),
            .object(
                object(
                    Reading.triggerWords,
                    [
                        "push": several(ref("change")),
                        "pull_request": several(any(of: words(["none"]), ref("change"))),
                        "tag": several(ref("tag")), "comment": several(ref("comment")),
                        "manual": several(ref("manual")),
                        "pipeline": several(any(of: fixedText, ref("completion"))),
                        "model": several(ref("modelTrigger")),
                        "event": several(ref("event")), "schedule": several(any(of: text, ref("schedule"))),
                        "all": several(ref("all")),
                    ])))
    }

    private static var allSchema: JSONValue {
        let counts = Reading.partCounts
        let of: JSONValue = [
            "type": "object", "propertyNames": ref("identifier"), "additionalProperties": ref("part"),
            "minProperties": .int(counts.lowerBound), "maxProperties": .int(counts.upperBound),
            "description": "What is waited for, each under a name of your choice.",
        ]
        return .object(
            object(Reading.conjunctionKeys, ["of": of, "by": text, "within": duration], required: ["of"]))
    }

    private static var partSchema: JSONValue {
        var part = object(
            Reading.partKeys,
            [
                "push": ref("change"), "pull_request": ref("change"), "tag": ref("tag"), "comment": ref("comment"),
                "pipeline": any(of: fixedText, ref("completion")), "model": ref("modelTrigger"),
                "event": ref("event"), "schedule": any(of: text, ref("schedule")), "by": text,
            ])
        part["oneOf"] = .array(Reading.partWords.map { ["required": [.string($0)]] })
        return .object(part)
    }

    private static var prSchema: JSONValue {
        any(of: words(["none"]), list(of: ref("pattern")), ref("change"))
    }

    private static var changeSchema: JSONValue {
        .object(object(Reading.changeKeys, ["branches": ref("patterns"), "paths": ref("patterns")]))
    }

    private static var tagSchema: JSONValue {
        .object(object(Reading.tagKeys, ["match": ref("patterns")]))
    }

    private static var commentSchema: JSONValue {
        .object(
            object(
                Reading.commentKeys,
                [
                    "in": words(of: CommentPlace.self),
                    "match": any(of: text, ["type": "array", "items": text, "minItems": 1]),
                ], required: ["match"]))
    }

    private static var manualSchema: JSONValue {
        .object(
            object(Reading.manualKeys, ["parameters": named(orNothing(ref("parameter")), by: "identifier")]))
    }

    private static var completionSchema: JSONValue {
        .object(
            object(
                Reading.completionKeys,
                [
                    "name": fixedText, "branches": ref("patterns"), "conclusion": conclusions,
                ], required: ["name"]))
    }

    private static var modelTriggerSchema: JSONValue {
        .object(
            object(
                Reading.modelTriggerKeys,
                [
                    "name": fixedText, "registered": flag,
                    "stage": any(
                        of: texts, .object(object(Reading.stageChangeKeys, ["to": texts, "from": texts]))),
                    "tag": any(of: texts, ["type": "object", "additionalProperties": orNothing(text)]),
                    "alias": texts,
                ]))
    }

    private static var eventSchema: JSONValue {
        .object(
            object(
                Reading.eventKeys,
                [
                    "type": fixedText, "where": ["type": "object", "additionalProperties": ref("scalars")],
                ], required: ["type"]))
    }

    private static var scheduleSchema: JSONValue {
        .object(
            object(
                Reading.scheduleKeys,
                [
                    "cron": [
                        "type": "string",
                        "description":
                            "Minute, hour, day, month, weekday; or @hourly, @daily, @weekly, @monthly, @yearly.",
                    ],
                    "timezone": ["type": "string", "description": "Of the IANA database. Default: UTC."],
                    "catch_up": words(of: Schedule.CatchUp.self),
                ], required: ["cron"]))
    }

    private static func several(_ one: JSONValue) -> JSONValue { any(of: one, list(of: orNothing(one))) }

    private static var conclusions: JSONValue {
        let known = words(Reading.conclusions.keys.sorted())
        return any(of: known, nothing, list(of: known))
    }

    private static var parameter: JSONValue {
        var parameter = object(
            Reading.parameterKeys,
            [
                "type": words(Reading.kinds.keys.sorted()), "required": flag, "options": list(of: text), "label": text,
                "description": text,
            ])
        let choice: JSONValue = ["type": "object", "required": ["type"], "properties": ["type": ["const": "choice"]]]
        let options: JSONValue = [
            "required": ["options"], "properties": ["options": ["type": "array", "minItems": 1]],
        ]
        parameter["if"] = choice
        parameter["then"] = options
        parameter["else"] = any(
            of: ["properties": ["type": nothing]], ["not": ["required": ["options"]]],
            ["properties": ["options": any(of: nothing, ["type": "array", "maxItems": 0])]])
        return .object(parameter)
    }
}
