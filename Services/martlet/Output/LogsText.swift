import Messages

/// The logs of an installation as each service sees them.
enum LogsText {
    static func render(_ reports: [JSONValue]) -> String {
        let logs = reports.flatMap { $0["logs"]?.array ?? [] }
        let heads = Dictionary(
            logs.map { ($0.text("source"), ($0["epoch"]?.int, $0["last"]?.int)) }, uniquingKeysWith: { $1 })
        let follows = reports.flatMap { report in
            (report["follows"]?.array ?? []).map { follow in
                adding(
                    ["service": report["service"] ?? .null, "behind": behind(follow, heads[follow.text("source")])],
                    to: follow)
            }
        }
        let parked = reports.flatMap { report in
            (report["parked"]?.array ?? []).map { adding(["service": report["service"] ?? .null], to: $0) }
        }
        let silent = reports.filter { $0["problem"] != nil }.map { "\($0.text("service")): \($0.text("problem"))" }
        let parts = [
            logTable.render(logs, empty: "no service answers"), followTable.render(follows, empty: ""),
            parked.isEmpty
                ? ""
                : "Keys that wait behind an event that could not be handled:\n"
                    + parkedTable.render(parked, empty: ""),
            silent.joined(separator: "\n"),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private static func adding(_ members: [String: JSONValue], to value: JSONValue) -> JSONValue {
        .object((value.object ?? [:]).merging(members) { $1 })
    }

    /// Events that it has not applied; across epochs only the owner could tell.
    private static func behind(_ follow: JSONValue, _ head: (Int?, Int?)?) -> JSONValue {
        guard let head, let last = head.1 else { return .null }
        guard follow["epoch"]?.int == head.0 else { return follow["epoch"] == .null ? .int(last) : "other epoch" }
        return .int(max(0, last - (follow["seq"]?.int ?? 0)))
    }

    private static var logTable: Table {
        Table([
            ("LOG", { $0.text("source") }), ("EPOCH", { $0.text("epoch") }), ("FIRST", { $0.text("first") }),
            ("LAST", { $0.text("last") }), ("EVENTS", { $0.text("records") }), ("BYTES", { $0.text("bytes") }),
            ("KEPT", { $0.text("kept") }), ("EPOCHS", { $0.text("epochs") }),
        ])
    }

    private static var followTable: Table {
        Table([
            ("SERVICE", { $0.text("service") }), ("FOLLOWS", { $0.text("source") }), ("AT", { $0.text("seq") }),
            ("BEHIND", { $0.text("behind") }), ("STATE", { state($0) }),
        ])
    }

    private static var parkedTable: Table {
        Table([
            ("SERVICE", { $0.text("service") }), ("KEY", { $0.text("key") }), ("EVENTS", { $0.text("events") }),
            ("TRIES", { $0.text("attempts") }), ("NEXT", { $0.time("due") }), ("REASON", { $0.text("reason") }),
        ])
    }

    private static func state(_ follow: JSONValue) -> String {
        guard let halt = follow["halt"], halt != .null else { return "following" }
        if halt["released"]?.bool == true { return "released; waits for the log's owner" }
        return "halted: expected \(halt.text("expected")), found \(halt.text("found"))"
    }
}
