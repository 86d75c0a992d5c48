import GRDB

extension StateStore {
    /// How much waits: parked events, dead letters, and intents by their kind.
    package func waiting() async throws -> (parked: Int, dead: Int, intents: [String: Int]) {
        try await read { db in
            let parked = try Row.fetchAll(db, sql: "SELECT state, count(*) AS events FROM parked GROUP BY state")
            let counts = Dictionary(uniqueKeysWithValues: parked.map { ($0["state"] as String, $0["events"] as Int) })
            let intents = try Row.fetchAll(db, sql: "SELECT kind, count(*) AS intents FROM intent GROUP BY kind")
            return (
                counts["waiting"] ?? 0, counts["dead"] ?? 0,
                Dictionary(uniqueKeysWithValues: intents.map { ($0["kind"], $0["intents"]) })
            )
        }
    }
}
