import GRDB
import Messages

/// Intents and parked events are due by the wall clock. When that is set back by an hour, what was due in a second would
/// be due in an hour: a wait that began in the future begins anew.
extension StateStore {
    /// A smaller step of the clock makes no wait much longer.
    private static let step: Duration = .seconds(2)

    package func restartWaits(at now: Timestamp) async throws {
        let (now, ahead) = (now.milliseconds, now.advanced(by: Self.step).milliseconds)
        let areAny = try await read { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM intent WHERE since > ?)
                            OR EXISTS (SELECT 1 FROM parked WHERE state = 'waiting' AND since > ?)
                        """), arguments: [ahead, ahead]) ?? false
        }
        guard areAny else { return }
        try await write { transaction in
            try transaction.db.cachedStatement(
                sql: "UPDATE intent SET due = due - since + ?, since = ? WHERE since > ?"
            ).execute(arguments: [now, now, ahead])
            try transaction.db.cachedStatement(
                sql: "UPDATE parked SET due = due - since + ?, since = ? WHERE state = 'waiting' AND since > ?"
            ).execute(arguments: [now, now, ahead])
        }
    }
}
