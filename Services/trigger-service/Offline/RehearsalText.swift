import Messages

/// What was foretold, for people.
enum RehearsalText {
    static func render(_ answer: JSONValue) -> String {
        let event = answer["event"] ?? .null
        let place = ["branch", "pipeline", "name"].compactMap { event[$0]?.string ?? event["run"]?[$0]?.string }.first
        let repeated = answer["repeated"]?.bool == true ? " (the same id came before: nothing new)" : ""
        var lines = ["\(answer["type"]?.string ?? "") \(place ?? "")\(repeated)"]
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
