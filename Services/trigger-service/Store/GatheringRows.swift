import GRDB
import Messages
import Store

extension Transaction {
    func insert(_ part: GatheredPart, into place: GatheringPlace) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO gathered_part (project, pipeline, declaration, correlation, part, cause, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            place.project, place.pipeline, place.declaration, place.correlation, part.part, part.cause,
            part.expires.milliseconds,
        ])
    }

    /// What of it still counts.
    func gathering(at place: GatheringPlace) throws -> Gathering {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT part, cause, expires FROM gathered_part
                    WHERE project = ? AND pipeline = ? AND declaration = ? AND correlation = ? AND expires > ? ORDER BY seq
                    """),
            arguments: [place.project, place.pipeline, place.declaration, place.correlation, now.milliseconds])
        return Gathering(present: rows.map(GatheredPart.init(row:)))
    }

    /// Those whose time is over, the longest first.
    func overdueParts(limit: Int) throws -> [(place: GatheringPlace, part: GatheredPart)] {
        try Row.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM gathered_part WHERE expires <= ? ORDER BY expires, seq LIMIT ?"),
            arguments: [now.milliseconds, limit]
        ).map { row in
            (
                place: GatheringPlace(
                    project: row["project"], pipeline: row["pipeline"], declaration: row["declaration"],
                    correlation: row["correlation"]),
                part: GatheredPart(row: row)
            )
        }
    }

    /// - Returns: whether the cause waits for nothing there any more.
    func delete(_ part: GatheredPart, from place: GatheringPlace) throws -> Bool {
        try db.cachedStatement(
            sql: "DELETE FROM gathered_part WHERE cause = ? AND project = ? AND pipeline = ? AND part = ?"
        ).execute(arguments: [part.cause, place.project, place.pipeline, part.part])
        let waits = try Bool.fetchOne(
            db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM gathered_part WHERE cause = ? AND project = ? AND pipeline = ?)"),
            arguments: [part.cause, place.project, place.pipeline])
        return waits == false
    }

    /// All that a cause is for a pipeline: it counts once.
    func deleteParts(of cause: String, at place: GatheringPlace) throws {
        try db.cachedStatement(sql: "DELETE FROM gathered_part WHERE cause = ? AND project = ? AND pipeline = ?")
            .execute(arguments: [cause, place.project, place.pipeline])
    }
}

extension GatheredPart {
    fileprivate init(row: Row) {
        self.init(
            part: row["part"], cause: row["cause"], expires: Timestamp(milliseconds: row["expires"]))
    }
}
