import GRDB
import Messages

/// Verdicts that nobody stores, because they would say of every finished run, every change of a model, every comment and
/// everything that other programs tell of that a pipeline listens to nothing of the kind.
enum SilentVerdicts {
    private static let causes: Set<String> = [
        RunFinished.name, ModelRegistered.name, ModelStageChanged.name, ModelTagged.name,
        ModelAliasChanged.name, Commented.name,
    ]

    /// Also what nobody listens to, so that nothing was made of it.
    private static func mayStart(_ type: String) -> Bool {
        let name = shortEventName(type)
        return isForeign(type) || causes.contains(name) || HeardEvents.ofForges.contains(name)
            || HeardEvents.ofServices.contains(name)
    }

    private static func isForeign(_ type: String) -> Bool { !type.hasPrefix("dev.martlet.") }

    /// `nil` for what is no cause of runs.
    static func verdict(on event: Envelope, pipeline: String, _ db: Database) throws -> JSONValue? {
        let name = shortEventName(event.type)
        guard mayStart(event.type) else { return nil }
        let homes = try db.list("SELECT name, repository, pipelines_json FROM projects ORDER BY name").filter {
            $0["pipelines"]?.array?.contains(.string(pipeline)) == true
        }
        // What the data of another program call a project is none of ours.
        let data: JSONValue = isForeign(event.type) ? [:] : event.data
        func isAbout(_ project: JSONValue) -> Bool {
            if let name = data["project"]?.string { return project["name"]?.string == name }
            if let repository = data["repository"]?.string { return project["repository"]?.string == repository }
            return true
        }
        let own = homes.first(where: isAbout)
        guard let home = (own ?? homes.first)?["name"]?.string else { return nil }
        let isOther = own == nil
        let about =
            data["project"]?.string.map { "project '\($0)'" } ?? "repository '\(data["repository"]?.string ?? "")'"
        return [
            "cause": .string(event.id), "causeType": .string(name), "project": .string(home),
            "pipeline": .string(pipeline), "verdict": "ignored", "code": isOther ? "other_project" : "no_trigger",
            "reason": .string(
                isOther
                    ? "the event is of \(about)"
                    : "'\(pipeline)' has nothing under 'on:' that listens to \(name)"),
            "time": .string(event.time.text),
        ]
    }
}
