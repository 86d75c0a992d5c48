import GRDB
import Messages
import ProjectFile
import ServiceKit
import Store

extension Dispatcher {
    /// Ticks handled in one transaction.
    private static let ticksAtOnce = 50

    /// Takes up the schedules of a project's file. A new one begins with its next tick from now on.
    func follow(_ project: Project, _ transaction: Transaction) throws {
        var schedules: [StoredSchedule] = []
        for pipeline in project.pipelines {
            for schedule in pipeline.schedules {
                guard let next = schedule.next(after: transaction.now) else { continue }
                schedules.append(
                    StoredSchedule(project: project.name, pipeline: pipeline.name, schedule: schedule, next: next))
            }
        }
        try transaction.setSchedules(schedules, of: project.name)
        let alarm = alarm
        if !schedules.isEmpty { transaction.db.afterNextTransaction { _ in alarm.wake() } }
    }

    /// The files as they are stored: what was loaded before this version read its schedules has them from here on.
    func followStored(_ transaction: Transaction) throws {
        for loaded in try transaction.projectsOfOlderSchedules() {
            if let project = try file(of: loaded, transaction) { try follow(project, transaction) }
        }
    }

    /// Lets fire what is due, and ends what has waited long enough. `true`: there may be more.
    func tick(_ transaction: Transaction) throws -> Bool {
        if try endWaiting(transaction) { return true }
        let due = try transaction.dueSchedules(limit: Self.ticksAtOnce)
        var room = Self.ticksAtOnce
        for stored in due {
            guard room > 0 else { return true }
            room -= try tick(stored, room: room, transaction)
        }
        return due.count >= Self.ticksAtOnce || room <= 0
    }

    /// - Returns: how many ticks fired.
    private func tick(_ stored: StoredSchedule, room: Int, _ transaction: Transaction) throws -> Int {
        guard let ticking = Ticking(stored, now: transaction.now) else {
            try transaction.delete(stored)
            return 0
        }
        guard let project = try transaction.project(stored.project),
            let repository = try transaction.repository(project.repository)
        else {
            // Nobody watches it now; when it is watched again, its time goes on from then.
            try transaction.setTick(next: ticking.next, last: ticking.last, of: stored)
            return 0
        }
        let due = ticking.due.prefix(room)
        let next = ticking.due.dropFirst(due.count).first ?? ticking.next
        try transaction.setTick(next: next, last: due.last ?? ticking.last, of: stored)
        let git = GitReference(
            repository: repository.name, url: repository.url, branch: project.branch, sha: project.sha, message: "")
        if due.isEmpty, let missed = ticking.missed { try miss(stored, missed, git, transaction) }
        for (index, time) in due.enumerated() {
            let body = ScheduleTicked(
                project: stored.project, pipeline: stored.pipeline, cron: stored.schedule.cron.text,
                timeZone: stored.schedule.timeZone, due: time, missed: index == 0 ? ticking.missed?.count ?? 0 : 0,
                repository: git.repository, branch: git.branch, sha: git.sha)
            let envelope = try publish(body, stored, transaction)
            try take(Cause(body, envelope, git: git), transaction)
        }
        return due.count
    }

    /// What never fired has a verdict too.
    private func miss(
        _ stored: StoredSchedule, _ missed: Ticking.Missed, _ git: GitReference, _ transaction: Transaction
    ) throws {
        let body = ScheduleMissed(
            project: stored.project, pipeline: stored.pipeline, cron: stored.schedule.cron.text,
            timeZone: stored.schedule.timeZone, first: missed.first, last: missed.last, count: missed.count)
        let cause = Cause(body, try publish(body, stored, transaction), git: git)
        guard try transaction.insert(cause) else { return }
        try transaction.markJudged(cause)
        let which =
            missed.count == 1 ? "the tick of \(missed.first.text)" : "\(missed.count) ticks up to \(missed.last.text)"
        try ignore(
            cause, stored.project, stored.pipeline, code: "missed_tick",
            "\(which) passed while nobody was there to see, and catch_up is none", transaction)
    }

    private func publish(
        _ body: some EventBody, _ stored: StoredSchedule, _ transaction: Transaction
    ) throws -> Envelope {
        try transaction.publish(
            body, subject: "pipeline/\(stored.project)/\(stored.pipeline)", key: stored.project,
            because: .first(actor: "service:\(Source.triggerService)"))
    }
}
