import Messages

/// The story of a run, version or event as lines of a page.
enum WhyText {
    static func render(_ answer: JSONValue) -> String {
        let about = answer["about"] ?? .null
        var lines = [title(about)]
        if answer["complete"]?.bool == false { lines.append("  (earlier events are no longer kept)") }
        var day = ""
        for line in answer["lines"]?.array ?? [] {
            let time = line.time("time")
            if time.prefix(10) != day {
                day = String(time.prefix(10))
                lines.append("  \(day)")
            }
            let mark = line["onPath"]?.bool == true ? "*" : " "
            let actor = line.text("actor")
            let text = line.text("text").split(separator: "\n").joined(separator: "; ")
            lines.append("  \(time.dropFirst(11)) \(mark) \(text)  [\(actor)]")
        }
        lines.append("  (* the path of causes)")
        return lines.joined(separator: "\n").printable
    }

    private static func title(_ about: JSONValue) -> String {
        switch about.text("kind") {
        case "version":
            let stage = about["stage"]?.string.map { " (\($0))" } ?? ""
            return "\(about.text("model")) version \(about.text("version"))\(stage), because:"
        case "run":
            return
                "run \(about.text("id")) of \(about.text("project"))/\(about.text("pipeline")), \(about.standing), because:"
        default: return "\(about.text("type")) \(about.text("id")), because:"
        }
    }

    static func verdicts(_ verdicts: [JSONValue]) -> String {
        verdicts.map { verdict in
            let head = "\(verdict.time("time"))  \(verdict.text("project"))/\(verdict.text("pipeline"))"
            let cause = "\(verdict.text("causeType")) \(verdict.text("cause"))"
            guard let run = verdict["run"]?.string else {
                return "\(head)  did not start (\(verdict.text("code"))): \(verdict.text("reason"))\n  \(cause)"
            }
            return "\(head)  started run \(run): \(verdict.text("reason"))\n  \(cause)"
        }.joined(separator: "\n").printable
    }
}
