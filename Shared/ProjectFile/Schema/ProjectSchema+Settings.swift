import Messages

/// Everything beside pipelines.
extension ProjectSchema {
    static var settings: [String: JSONValue] {
        [
            "project": projectSchema,
            "environment": environmentSchema,
            "approvals": approvalsSchema,
            "backend": backendSchema,
            "target": target,
            "notification": notification,
            "variables": variablesSchema,
        ]
    }

    private static var projectSchema: JSONValue {
        .object(
            object(
                Reading.topKeys,
                [
                    "martlet": ["enum": [1, "1"], "description": "The version of this format."],
                    "project": ["$ref": "#/$defs/name", "description": "Default: the repository's name."],
                    "description": text, "model": ref("model"), "models": named(orNothing(ref("model"))),
                    "environments": named(orNothing(ref("environment"))), "backends": named(ref("backend")),
                    "targets": named(ref("target")), "pipelines": named(ref("pipeline")),
                    "variables": ref("variables"), "variable_groups": texts, "secrets": secrets,
                    "notify": list(of: ref("notification")),
                ], required: ["martlet"]))
    }

    private static var environmentSchema: JSONValue {
        .object(
            object(Reading.environmentKeys, ["approvals": ref("approvals"), "description": text, "url": text]))
    }

    private static var approvalsSchema: JSONValue {
        .object(
            object(
                Reading.approvalKeys,
                [
                    "required": integer(0...100), "from": textsMatching("^(user|group|key):."),
                    "requester_may_approve": flag, "timeout": duration,
                    "on_timeout": words(of: Approvals.Timeout.self),
                ]))
    }

    private static var backendSchema: JSONValue {
        .object(
            object(
                Reading.backendKeys,
                ["kind": words(Reading.backendKinds), "wait": words(["callback", "poll"]), "every": duration],
                required: ["kind"]))
    }

    private static var variablesSchema: JSONValue {
        [
            "type": "object", "propertyNames": ref("identifier"),
            "properties": ["files": any(of: list(of: text), text, nothing)],
        ]
    }

    private static var secrets: JSONValue {
        let names = any(of: ref("identifier"), nothing, list(of: ref("identifier")))
        return ["allOf": [names], "description": "The secrets that may be named; any where this is not said."]
    }

    private static var target: JSONValue {
        var target = object(
            Reading.targetKeys, ["kind": words(Reading.targetKinds), "instance": words(["shared", "per-version"])],
            required: ["kind"])
        target["if"] = ["type": "object", "required": ["kind"], "properties": ["kind": ["const": "process"]]]
        target["then"] = ["required": ["command"], "properties": ["command": ["not": nothing]]]
        return .object(target)
    }

    private static var notification: JSONValue {
        let event: JSONValue = [
            "anyOf": [
                words(EventWords.all), ["type": "string", "pattern": "^\\*$|\\.\\*$"],
                ["type": "string", "pattern": "\\..*\\."],
            ]
        ]
        var entry = object(
            Reading.notificationKeys,
            [
                "when": any(of: event, list(of: event)), "use": words(Reading.notifiers),
                "channel": ["not": nothing], "pipelines": texts,
            ], required: ["when", "use"])
        entry["if"] = ["type": "object", "required": ["use"], "properties": ["use": ["const": "pull-request"]]]
        entry["else"] = ["required": ["channel"], "properties": ["channel": ["not": nothing]]]
        return .object(entry)
    }

    static func textsMatching(_ pattern: String) -> JSONValue {
        let one: JSONValue = ["type": "string", "pattern": .string(pattern)]
        return any(of: one, nothing, list(of: one))
    }

    static var models: [String: JSONValue] {
        [
            "model": modelSchema,
            "champion": championSchema,
            "stages": stagesSchema,
            "stage": stageSchema,
        ]
    }

    private static var modelSchema: JSONValue {
        .object(
            object(
                Reading.modelKeys,
                [
                    "name": text, "description": text, "champion": any(of: text, ref("champion")),
                    "stages": ref("stages"), "requires": textsMatching(VersionFact.pattern), "score": fixedText,
                ]))
    }

    private static var championSchema: JSONValue {
        .object(
            object(Reading.championKeys, ["select": text, "order": words(["latest"])], required: ["select"]))
    }

    private static var stagesSchema: JSONValue {
        .object(
            object(
                Reading.stagesKeys,
                [
                    "preset": words(Reading.stagePresets), "tag": fixedText,
                    "states": named(orNothing(ref("stage"))),
                    "rules": named(orNothing(ref("stage"))),
                ]
            ).merging(["not": ["required": ["preset", "states"]]]) { $1 })
    }

    private static var stageSchema: JSONValue {
        .object(
            object(
                Reading.stageKeys,
                [
                    "max": words(["1", "many"]), "replaced_becomes": fixedText,
                    "set_by": textsMatching("^(user$|user:.|group:.|pipeline:.)"), "from": texts,
                ]))
    }
}
