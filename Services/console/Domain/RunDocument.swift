import Messages

/// A run's facts as one plain page without scripts: where the links in notifications lead.
///
/// Everything that comes from a repository, a person or a program is escaped; there is no other way into `Markup`.
struct RunDocument: Sendable {
    static let style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
        table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}
        pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font-size:14px}tr.job{border-top:1px solid #888}
        """

    private let run: JSONValue

    /// - Parameter run: as `GET /api/v1/runs/<id>` answers it.
    init(_ run: JSONValue) { self.run = run }

    var html: String {
        let name = "\(text(run["project"])) \(text(run["pipeline"])) #\(text(run["number"]))"
        var page = Markup()
        page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        page.raw("<meta name=\"viewport\" content=\"width=device-width\">")
        page.element("title", "\(name): \(standing)")
        page.raw("<style>\(Self.style)</style></head><body>")
        page.element("h1", name)
        page.element("p", standing)
        if let note = run["note"]?.string, !note.isEmpty { page.element("pre", note) }
        facts(&page)
        jobs(&page)
        approvals(&page)
        page.element("p", "On the command line: martlet runs show \(id), martlet runs logs \(id), martlet why \(id)")
        page.raw("</body></html>\n")
        return page.html
    }

    private var id: String { text(run["id"]) }

    private var standing: String {
        let seconds = run["seconds"]?.double.map { " after \(($0 * 10).rounded() / 10) s" } ?? ""
        if let reason = run["canceling"]?.string { return "canceling: \(reason)" }
        return run["outcome"]?.string.map { $0 + seconds } ?? text(run["state"])
    }

    /// The runs before it in its group.
    private var waitsFor: String {
        (run["waitsFor"]?.array ?? []).map { "\(text($0["pipeline"])) #\(text($0["number"]))" }.joined(separator: ", ")
    }

    private func facts(_ page: inout Markup) {
        let commit = run["sha"]?.string.map { "\($0.prefix(12)) on \(text(run["branch"]))" }
        let versions = (run["versions"]?.array ?? []).map {
            let standing = $0["deleted"]?.string == nil ? $0["stage"]?.string ?? "no stage" : "deleted"
            return "\(text($0["model"]))/\(text($0["version"])) (\(standing))"
        }
        let decisions = (run["decisions"]?.array ?? []).map { text($0["message"]) }
        page.table([
            ("Why", text(run["reason"])), ("By", text(run["actor"])), ("Commit", commit),
            ("Message", run["message"]?.string), ("Waits for", waitsFor), ("Failed at", run["failedStep"]?.string),
            ("Queued", run["queued"]?.string), ("Started", run["started"]?.string),
            ("Finished", run["finished"]?.string), ("Decided", decisions.joined(separator: "\n")),
            ("Versions", versions.joined(separator: ", ")),
        ])
    }

    private func jobs(_ page: inout Markup) {
        page.element("h2", "Jobs and steps")
        page.raw("<table>")
        for job in run["jobs"]?.array ?? [] {
            row(job, named: text(job["job"]), isJob: true, &page)
            for step in job["steps"]?.array ?? [] {
                let title = step["title"]?.string ?? text(step["step"])
                row(step, named: "\(text(step["step"])): \(title)", isJob: false, &page)
            }
        }
        page.raw("</table>")
    }

    private func row(_ fact: JSONValue, named name: String, isJob: Bool, _ page: inout Markup) {
        page.raw(isJob ? "<tr class=\"job\">" : "<tr>")
        page.element(isJob ? "th" : "td", name)
        page.element("td", fact["outcome"]?.string ?? text(fact["state"]))
        page.raw("<td>")
        if let message = fact["message"]?.string, !message.isEmpty { page.element("pre", message) }
        page.raw("</td></tr>")
    }

    private func approvals(_ page: inout Markup) {
        for approval in run["approvals"]?.array ?? [] where approval["state"]?.string == "waiting" {
            let id = text(approval["id"])
            page.element(
                "p",
                "Waits for \(text(approval["environment"])): martlet approve \(id), or martlet reject \(id)")
        }
    }

    private func text(_ value: JSONValue?) -> String { value?.scalarText ?? "–" }
}

/// HTML in the making.
struct Markup: Sendable {
    private(set) var html = ""

    /// Our own words only.
    mutating func raw(_ text: String) { html += text }

    mutating func element(_ name: StaticString, _ content: String) {
        html += "<\(name)>\(Self.escaped(content))</\(name)>"
    }

    /// Rows without a value are left out.
    mutating func table(_ rows: [(name: StaticString, value: String?)]) {
        html += "<table>"
        for row in rows {
            guard let value = row.value, !value.isEmpty else { continue }
            html += "<tr><th>\(row.name)</th><td><pre>\(Self.escaped(value))</pre></td></tr>"
        }
        html += "</table>"
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
