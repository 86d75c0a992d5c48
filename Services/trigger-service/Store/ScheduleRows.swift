import GRDB
import Messages
import ProjectFile
import Store

extension StoredSchedule {
    /// `nil` for what this version cannot read: the file says it anew.
    fileprivate init?(row: Row) {
        guard let cron = try? Cron(row["cron"]), let catchUp = Schedule.CatchUp(rawValue: row["catch_up"]) else {
            return nil
        }
        self.init(
            project: row["project"], pipeline: row["pipeline"],
            schedule: Schedule(cron: cron, timeZone: row["time_zone"], catchUp: catchUp),
            next: Timestamp(milliseconds: row["next"]),
            last: (row["last"] as Int64?).map { Timestamp(milliseconds: $0) })
    }
}

extension Transaction {
    /// What the project file says now; what was there before keeps its next tick.
    func setSchedules(_ schedules: [StoredSchedule], of project: String) throws {
        try db.cachedStatement(sql: "UPDATE schedule SET declared = 0 WHERE project = ?").execute(arguments: [project])
        for schedule in schedules {
            try db.cachedStatement(
                sql: """
                    INSERT INTO schedule (project, pipeline, cron, time_zone, catch_up, next) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (project, pipeline, cron, time_zone)
                    DO UPDATE SET catch_up = excluded.catch_up, declared = 1
                    """
            ).execute(arguments: [
                project, schedule.pipeline, schedule.schedule.cron.text, schedule.schedule.timeZone,
                schedule.schedule.catchUp.rawValue, schedule.next.milliseconds,
            ])
        }
        try db.cachedStatement(sql: "DELETE FROM schedule WHERE project = ? AND declared = 0").execute(arguments: [
            project
        ])
        try setForm(StoredSchedule.form, of: project)
    }

    private func setForm(_ form: Int, of project: String) throws {
        try db.cachedStatement(sql: "UPDATE project SET schedules_form = ? WHERE name = ?").execute(arguments: [
            form, project,
        ])
    }

    /// Those whose time has come, the longest due first, and those that a wrong clock sent too far ahead.
    func dueSchedules(limit: Int) throws -> [StoredSchedule] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT * FROM (SELECT * FROM schedule WHERE next <= ? ORDER BY next LIMIT ?)
                    UNION SELECT * FROM (SELECT * FROM schedule WHERE last > ? LIMIT ?) ORDER BY next, project, pipeline
                    """),
            arguments: [
                now.milliseconds, limit, now.advanced(by: Ticking.farthestAhead).milliseconds, limit,
            ]
        )
        return try rows.compactMap { row in
            if let schedule = StoredSchedule(row: row) { return schedule }
            // Kept, it would be due for ever, and looked at without a pause. The next start reads the file again.
            try setForm(0, of: row["project"])
            try deleteSchedule(
                project: row["project"], pipeline: row["pipeline"], cron: row["cron"], timeZone: row["time_zone"])
            return nil
        }
    }

    func setTick(next: Timestamp, last: Timestamp?, of schedule: StoredSchedule) throws {
        try db.cachedStatement(
            sql: """
                UPDATE schedule SET next = ?, last = ?
                WHERE project = ? AND pipeline = ? AND cron = ? AND time_zone = ?
                """
        ).execute(arguments: [
            next.milliseconds, last?.milliseconds, schedule.project, schedule.pipeline,
            schedule.schedule.cron.text, schedule.schedule.timeZone,
        ])
    }

    func delete(_ schedule: StoredSchedule) throws {
        try deleteSchedule(
            project: schedule.project, pipeline: schedule.pipeline, cron: schedule.schedule.cron.text,
            timeZone: schedule.schedule.timeZone)
    }

    private func deleteSchedule(project: String, pipeline: String, cron: String, timeZone: String) throws {
        try db.cachedStatement(
            sql: "DELETE FROM schedule WHERE project = ? AND pipeline = ? AND cron = ? AND time_zone = ?"
        ).execute(arguments: [project, pipeline, cron, timeZone])
    }
}

enum ScheduleQueries {
    /// When there is something to do, for a schedule or because an event has waited for others long enough; `nil`: never.
    static func next(at now: Timestamp, in db: Database) throws -> Timestamp? {
        let ahead = now.advanced(by: Ticking.farthestAhead).milliseconds
        if try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM schedule WHERE last > ?)"), arguments: [ahead])
            == true
        {
            return now
        }
        return try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT min(time) FROM (
                        SELECT min(next) AS time FROM schedule UNION ALL SELECT min(expires) FROM gathered_part)
                    """)
        ).map { Timestamp(milliseconds: $0) }
    }
}
