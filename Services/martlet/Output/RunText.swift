import Messages

/// A run as people read it.
enum RunText {
    static var table: Table {
        Table([
            ("RUN", { $0.text("id") }), ("NO", { $0.text("number") }),
            ("PIPELINE", { "\($0.text("project"))/\($0.text("pipeline"))" }), ("STATE", { $0.standing }),
            ("BRANCH", { $0.text("branch") }), ("COMMIT", { $0.commit }), ("QUEUED", { $0.time("queued") }),
            ("TOOK", { $0.seconds("seconds") }),
        ])
    }

    static func ending(_ run: JSONValue) -> String {
        var lines = ["run \(run.text("id")) (#\(run.text("number"))) \(run.standing) after \(run.seconds("seconds"))"]
        if let step = run["failedStep"]?.string { lines.append("  at \(step)") }
        if let note = run["note"]?.string { lines += note.split(separator: "\n").map { "  \($0)" } }
        return lines.joined(separator: "\n").printable
    }

    static func whole(_ run: JSONValue) -> String {
        var lines = [
            "run       \(run.text("id")) (#\(run.text("number")))",
            "pipeline  \(run.text("project"))/\(run.text("pipeline"))",
            "commit    \(run.commit) on \(run.text("branch")): \(run.text("message"))",
            "because   \(run.text("reason")) (\(run.text("actor")))",
            "state     \(run.standing)\(run["note"]?.string.map { ": \($0)" } ?? "")",
            "queued    \(run.time("queued"))   took \(run.seconds("seconds"))",
        ]
        lines += standing(run)
        for job in run["jobs"]?.array ?? [] {
            lines.append("\njob \(job.text("job")): \(job.standing)")
            let steps = Table([
                ("  STEP", { "  " + $0.text("step") }), ("STATE", { $0.standing }), ("TOOK", { $0.seconds("seconds") }),
                ("TRY", { $0.text("attempt") }), ("WHAT", { $0.text("title") }), ("NOTE", { $0.text("message") }),
            ])
            lines.append(steps.render(job["steps"]?.array ?? [], empty: "  no steps"))
        }
        lines += tries(run)
        for job in run["jobs"]?.array ?? [] {
            for step in job["steps"]?.array ?? [] where step["outcome"]?.string == "failed" {
                guard let message = step["message"]?.string, !message.isEmpty else { continue }
                let place = "\(job.text("job"))/\(step.text("step"))"
                lines.append("\n\(place) failed: \(message.split(separator: "\n").joined(separator: "\n  "))")
            }
        }
        for decision in run["decisions"]?.array ?? [] {
            lines.append(
                "\ndecision: \(decision.text("winner")) wins on \(decision.text("metric")): \(decision.text("message"))"
            )
        }
        for approval in run["approvals"]?.array ?? [] {
            lines.append(
                "\napproval \(approval.text("id")) for \(approval.text("environment")): \(ApprovalText.standing(approval))"
            )
        }
        for version in run["versions"]?.array ?? [] {
            let standing = version["deleted"]?.string == nil ? version.text("stage") : "deleted"
            lines.append("\nversion \(version.text("model"))/\(version.text("version")): \(standing)")
        }
        return lines.joined(separator: "\n").printable
    }

    /// What it waits for, and how its attempts before this one ended.
    private static func standing(_ run: JSONValue) -> [String] {
        var lines: [String] = []
        if let reason = run["canceling"]?.string {
            lines.append("canceling \(reason); it ends when its workers confirm")
        }
        let ahead = (run["waitsFor"]?.array ?? []).map { "#\($0.text("number")) (\($0.standing))" }
        if !ahead.isEmpty {
            lines.append("waits for \(ahead.joined(separator: ", ")) of the group \(run.text("concurrency"))")
        }
        let attempts = run["attempts"]?.array ?? []
        for attempt in attempts where attempts.count > 1 {
            let step = attempt["failedStep"]?.string.map { " at \($0)" } ?? ""
            let ending =
                attempt["outcome"]?.string.map { "\($0)\(step) after \(attempt.seconds("seconds"))" } ?? "goes on"
            lines.append("attempt \(attempt.text("attempt")) \(ending)   (\(attempt.text("reason")))")
        }
        return lines
    }

    /// Steps that were tried several times.
    private static func tries(_ run: JSONValue) -> [String] {
        var lines: [String] = []
        for job in run["jobs"]?.array ?? [] {
            for step in job["steps"]?.array ?? [] {
                let attempts = step["attempts"]?.array ?? []
                guard attempts.count > 1 else { continue }
                lines.append("\n\(job.text("job"))/\(step.text("step")) was tried \(attempts.count) times:")
                for attempt in attempts {
                    lines.append(
                        "  \(attempt.text("attempt"))  \(attempt.standing) after \(attempt.seconds("seconds"))"
                            + "  \(attempt.text("message").prefix { $0 != "\n" })")
                }
            }
        }
        return lines
    }
}
