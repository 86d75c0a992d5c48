import Messages

/// What the doctor found, and under it what to do.
enum FindingsText {
    static func render(_ findings: [Finding]) -> String {
        let advice = findings.filter { !$0.advice.isEmpty }.map { "- \($0.check): \($0.note)\n  \($0.advice)" }
        let bad = findings.count { $0.state == .bad }
        let warnings = findings.count { $0.state == .warning }
        let sum = bad + warnings == 0 ? "all is well" : "\(bad) bad, \(warnings) to look at"
        return ([table.render(findings.map(\.json), empty: "")] + advice + [sum]).joined(separator: "\n\n")
    }

    private static var table: Table {
        Table([
            ("CHECK", { $0.text("check") }), ("STATE", { $0.text("state") }), ("FOUND", { $0.text("note") }),
        ])
    }
}
