import Messages

/// The state of an installation, and what a person can do about it.
enum StatusText {
    static func render(_ answer: JSONValue) -> String {
        let services = answer["services"]?.array ?? []
        let repositories = answer["repositories"]?.array ?? []
        let counts = answer["counts"] ?? .null
        let parts = [
            serviceTable.render(services, empty: "no services"),
            repositoryTable.render(repositories, empty: RepoCommand.List.empty),
            "runs: \(counts.text("runningRuns")) running, \(counts.text("queuedRuns")) queued; "
                + "approvals waiting: \(counts.text("waitingApprovals")); dead letters: \(counts.text("deadLetters"))"
                + backups(answer["backups"] ?? .null),
            advice(answer).map { "- \($0)" }.joined(separator: "\n"),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private static func backups(_ backups: JSONValue) -> String {
        guard backups["folder"] != nil else { return "" }
        return "\nbackups: the newest of \(backups.time("last")), in \(backups.text("folder"))"
    }

    private static var serviceTable: Table {
        Table([
            ("SERVICE", { $0.text("name") }), ("STATE", { $0.text("state") }), ("PORT", { $0.text("port") }),
            ("PID", { $0.text("pid") }), ("LAG", { $0.text("lag") }), ("NOTE", { $0.text("reason") }),
        ])
    }

    private static func advice(_ answer: JSONValue) -> [String] {
        let services = answer["services"]?.array ?? []
        let repositories = answer["repositories"]?.array ?? []
        let approvals = answer["approvals"]?.array ?? []
        let counts = answer["counts"] ?? .null
        var lines = services.filter { $0["state"]?.string == "down" }.map {
            "\($0.text("name")) is down: the supervisor starts it again; its log is <data>/services/\($0.text("name"))/log"
        }
        lines += services.filter { $0["state"]?.string == "not ready" }.map {
            "\($0.text("name")) is not ready: \($0.text("reason").replacing("\n", with: "; ")); its log is "
                + "<data>/services/\($0.text("name"))/log"
        }
        lines += services.filter { $0["state"]?.string == "behind" }.map {
            "\($0.text("name")) is \($0.text("lag")) events ahead of what is shown here, and the console does not catch "
                + "up: see <data>/services/console/log"
        }
        lines += services.filter { $0["state"]?.string == "halted" }.map {
            "\($0.text("name")) does not follow a log that forked: 'martlet logs' shows where, "
                + "'martlet logs release \($0.text("name")) SOURCE' lets it go on"
        }
        lines += services.compactMap { service in
            guard let keys = service["parked"]?.int, keys > 0 else { return nil }
            return
                "\(service.text("name")) could not handle an event, and later ones of \(keys) key(s) wait behind it: "
                + "tried again by itself; 'martlet logs' shows why"
        }
        lines += repositories.filter { $0["state"]?.string == "unreachable" }.map {
            "\($0.text("name")) cannot be read (\($0.text("reason"))): tried again at \($0.time("nextAttempt")), "
                + "recovers by itself"
        }
        lines += repositories.filter { $0["errors"]?.array?.isEmpty == false }.map {
            "the project file of \($0.text("name")) is rejected: 'martlet validate' in a checkout shows all errors"
        }
        lines += approvals.map {
            "\($0.text("project"))/\($0.text("pipeline")) waits for \($0.text("environment")): "
                + "martlet approve \($0.text("id")), or reject"
        }
        lines += (answer["drifted"]?.array ?? []).map {
            "endpoint \($0.text("name")) has drifted: \($0.text("drift")); 'martlet endpoints show \($0.text("name"))', "
                + "then deploy, move the stage, or 'martlet endpoints rollback \($0.text("name"))'"
        }
        if let failure = answer["backups"]?["failure"]?.string {
            lines.append(
                "backups fail (\(failure)): they are tried again; look at the room and the owner of their folder")
        } else if answer["backups"]?["late"]?.bool == true {
            lines.append("the newest backup is older than it should be: see <data>/up.log")
        }
        if let letters = counts["deadLetters"]?.int, letters > 0 {
            lines.append("\(letters) dead letter(s): 'martlet dlq list' shows them, 'martlet dlq retry ID' tries again")
        }
        return lines
    }
}
