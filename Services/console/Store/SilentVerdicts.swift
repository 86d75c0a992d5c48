import GRDB
import Messages

/// Verdicts that nobody stores, because they would say of every finished run and every change of a model that a pipeline
/// listens to nothing of the kind.
enum SilentVerdicts {
    private static let causes: Set<String> = [
        RunFinished.name, ModelRegistered.name, ModelStageChanged.name, ModelTagged.name,
        ModelAliasChanged.name,
    ]

    /// `nil` for what is no cause of runs.
    static func verdict(on event: Envelope, pipeline: String, _ db: Database) throws -> JSONValue? {
        let name = shortEventName(event.type)
        guard causes.contains(name) else { return nil }
        let homes = try db.list("SELECT name, pipelines_json FROM projects ORDER BY name").filter {
            $0["pipelines"]?.array?.contains(.string(pipeline)) == true
        }.compactMap { $0["name"]?.string }
        let about = event.data["project"]?.string
        guard let home = homes.first(where: { $0 == about }) ?? homes.first else { return nil }
        let isOther = about != nil && about != home
        return [
            "cause": .string(event.id), "causeType": .string(name), "project": .string(home),
            "pipeline": .string(pipeline), "verdict": "ignored", "code": isOther ? "other_project" : "no_trigger",
            "reason": .string(
                isOther
                    ? "the event is of project '\(about ?? "")'"
                    : "'\(pipeline)' has nothing under 'on:' that listens to \(name)"),
            "time": .string(event.time.text),
        ]
    }
}
