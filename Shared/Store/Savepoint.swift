import GRDB

extension Database {
    /// Runs `body` so that an error takes back its work alone; only within a transaction.
    ///
    /// GRDB's own compiles its statements each time, which costs as much as the insert of a small event.
    func savepoint<Value>(_ body: () throws -> Value) throws -> Value {
        try cachedStatement(sql: "SAVEPOINT part").execute()
        do {
            let value = try body()
            try cachedStatement(sql: "RELEASE part").execute()
            return value
        } catch {
            // A full disk takes back the whole transaction by itself, savepoints included.
            if isInsideTransaction {
                try cachedStatement(sql: "ROLLBACK TO part").execute()
                try cachedStatement(sql: "RELEASE part").execute()
            }
            throw error
        }
    }
}
