import GRDB

/// What a service has still to do.
package struct Waiting: Sendable, Hashable {
    /// Events that wait for another try, and those behind them.
    package var parked = 0
    /// Events that were given up.
    package var dead = 0
    /// Effects that are to be carried out, by their kind.
    package var intents: [String: Int] = [:]

    package init() {}
}

extension StateStore {
    package func waiting() async throws -> Waiting {
        try await read { db in
            var waiting = Waiting()
            for row in try Row.fetchAll(
                db.cachedStatement(sql: "SELECT state, count(*) AS events FROM parked GROUP BY state"))
            {
                let (state, events): (String, Int) = (row["state"], row["events"])
                if state == "dead" { waiting.dead = events } else { waiting.parked = events }
            }
            for row in try Row.fetchAll(
                db.cachedStatement(sql: "SELECT kind, count(*) AS intents FROM intent GROUP BY kind"))
            {
                let (kind, intents): (String, Int) = (row["kind"], row["intents"])
                waiting.intents[kind] = intents
            }
            return waiting
        }
    }
}
