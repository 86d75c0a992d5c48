import Messages

/// What was foretold, for people.
enum RehearsalText {
    static func render(_ answer: JSONValue) -> String {
        let repeated = answer["repeated"]?.bool == true ? " (the same id came before: nothing new)" : ""
        var lines = ["\(answer["type"]?.string ?? "") \(place(answer["event"] ?? .null))\(repeated)"]
        if let note = answer["note"]?.string { lines.append("  \(note)") }
        if answer["untrusted"]?.bool == true {
            lines.append("  of a fork: its runs get no secrets, and steps that act outside fail")
        }
        for pipeline in answer["pipelines"]?.array ?? [] {
            let name = pipeline["pipeline"]?.string ?? ""
            let reason = pipeline["reason"]?.string ?? ""
            guard pipeline["starts"]?.bool == true else {
                lines.append("  \(name) does not start (\(pipeline["code"]?.string ?? "")): \(reason)")
                continue
            }
            lines.append("  \(name) starts: \(reason)")
            for parameter in (pipeline["parameters"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.append("    \(parameter.key) = \(parameter.value.scalarText ?? "…")")
            }
            lines += (pipeline["plan"]?["jobs"]?.array ?? []).map(job)
        }
        return lines.joined(separator: "\n")
    }

    /// What it is about.
    private static func place(_ event: JSONValue) -> String {
        func text(_ key: String) -> String { event[key]?.scalarText ?? "" }
        return switch event["kind"]?.string ?? "" {
        case "pull_request": "#\(text("number")) \(text("source")) → \(text("target"))"
        case "comment": "#\(text("number"))"
        case "tag": text("tag")
        case "pipeline": event["run"]?["pipeline"]?.string ?? ""
        case "event": text("source") == EventDraft.source ? ofForge(event["data"] ?? .null) : text("source")
        case "schedule": text("cron")
        case "model": event["model"]?["name"]?.string ?? ""
        default:
            ["branch", "pipeline", "name"].compactMap { event[$0]?.string ?? event["run"]?[$0]?.string }.first ?? ""
        }
    }

    private static func ofForge(_ data: JSONValue) -> String {
        data["branch"]?.string ?? data["tag"]?.string ?? data["pullRequest"]?["number"]?.int.map { "#\($0)" } ?? ""
    }

    private static func job(_ job: JSONValue) -> String {
        let needs = (job["needs"]?.array ?? []).compactMap(\.string)
        let after =
            needs.isEmpty ? "" : " after \(needs.count > 3 ? "\(needs.count) jobs" : needs.joined(separator: ", "))"
        let environment = job["environment"]?.string.map { " in \($0)" } ?? ""
        let condition = job["if"]?.string.map { " if \($0)" } ?? ""
        let steps = (job["steps"]?.array ?? []).compactMap { $0["uses"]?.string }.joined(separator: ", ")
        return "    \(job["id"]?.string ?? "")\(after)\(environment)\(condition): \(steps)"
    }
}
