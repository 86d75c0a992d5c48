import GRDB
import Messages
import ProjectFile
import ServiceKit
import Store

/// `on: all`: causes are kept until each of those that a pipeline waits for has come. What was kept, the run and every
/// verdict are rows of one transaction, so a set starts one run, whatever dies in between.
extension Dispatcher {
    /// Those whose time is over, told in one transaction.
    private static let endedAtOnce = 100

    /// Keeps a cause that is one of several, or starts the run when it is the last of them.
    ///
    /// - Throws: `NotStarted`.
    func gather(_ contribution: Contribution, _ request: RunRequest, _ transaction: Transaction) throws {
        let conjunction = contribution.conjunction
        let expires = transaction.now.advanced(by: conjunction.within)
        let placed = try contribution.parts.map { (name: $0.name, place: try place(of: $0, conjunction, request)) }
        var places: [GatheringPlace] = []
        for part in placed {
            if !places.contains(part.place) { places.append(part.place) }
            try transaction.insert(
                GatheredPart(part: part.name, cause: request.cause.id, expires: expires), into: part.place)
        }
        var missing: [String] = []
        for place in places {
            let gathering = try transaction.gathering(at: place)
            missing = gathering.missing(of: conjunction)
            if missing.isEmpty { return try complete(gathering, at: place, request, transaction) }
        }
        let parts = contribution.parts.map { "'\($0.name)' (\($0.reason))" }.joined(separator: " and ")
        try ignore(
            request.cause, request.project.name, request.pipeline, code: "waiting",
            "it came as \(parts)\(Self.ofWhat(places)); \(missing.joined(separator: ", ")) is still missing, until"
                + " \(expires.text)", transaction)
        for place in places { try makeRoom(at: place, transaction) }
        let alarm = alarm
        transaction.db.afterNextTransaction { _ in alarm.wake() }
    }

    private static func ofWhat(_ places: [GatheringPlace]) -> String {
        let names = places.map(\.correlation).filter { !$0.isEmpty }.map { "'\($0)'" }
        return names.isEmpty ? "" : " of \(names.joined(separator: " and "))"
    }

    /// - Throws: `NotStarted` when nothing says what the cause belongs to.
    private func place(
        of part: Contribution.Part, _ conjunction: Conjunction, _ request: RunRequest
    ) throws -> GatheringPlace {
        let cause = request.cause
        do {
            let environment = request.project.pipeline(request.pipeline)?.environment
            var scope = try request.project.baseScope(environment: environment)
            scope.event = cause.event
            scope.git = RunFacts.members(request.git, event: cause.event)
            scope.upstream = cause.upstream
            guard let correlation = try conjunction.correlation(of: part.name, in: scope),
                correlation.utf8.count <= Gathering.longestCorrelation
            else {
                throw NotStarted(
                    code: "correlation",
                    reason: "it came as '\(part.name)' (\(part.reason)), but its 'by' is empty or longer than"
                        + " \(Gathering.longestCorrelation) bytes, so nothing says which others it belongs to")
            }
            return GatheringPlace(
                project: request.project.name, pipeline: request.pipeline,
                declaration: conjunction.digest + cause.strangersPlace, correlation: correlation)
        } catch let error as EvaluationError {
            throw NotStarted(code: "expression", reason: "'by' of '\(part.name)': \(error.message)")
        }
    }

    /// All have come: the set is over, whatever becomes of the run.
    private func complete(
        _ gathering: Gathering, at place: GatheringPlace, _ request: RunRequest, _ transaction: Transaction
    ) throws {
        var causes: [String: Cause] = [:]
        for id in gathering.causes {
            causes[id] = try transaction.cause(id)
            try transaction.deleteParts(of: id, at: place)
        }
        let others = gathering.causes.filter { $0 != request.cause.id }.compactMap { causes[$0] }
        var request = request
        request.cause = request.cause.completing(gathering, of: causes)
        let names = gathering.names.joined(separator: ", ")
        request.reason = "all that it waits for has come\(Self.ofWhat([place])): \(names)"
        do {
            let run = try start(request, transaction)
            for cause in others {
                try conclude(cause, at: place, code: "matched", request.reason, run: run, transaction)
            }
        } catch let refusal as NotStarted {
            for cause in others { try conclude(cause, at: place, code: refusal.code, refusal.reason, transaction) }
            throw refusal
        }
    }

    /// Another verdict for a cause that has waited.
    private func conclude(
        _ cause: Cause, at place: GatheringPlace, code: String, _ words: String, run: String? = nil,
        _ transaction: Transaction
    ) throws {
        let verdict = StoredVerdict(
            cause: cause.id, project: place.project, pipeline: place.pipeline, matched: run != nil, code: code,
            reason: words.shortened(), run: run)
        try transaction.replace(verdict)
        try say(verdict, of: cause, transaction)
    }

    private func makeRoom(at place: GatheringPlace, _ transaction: Transaction) throws {
        for part in try transaction.gathering(at: place).surplus {
            try end(
                part, at: place, code: "replaced",
                "\(Gathering.most) newer ones came as '\(part.part)' before the others did", transaction)
        }
    }

    /// Ends the waiting of those whose time is over. `true`: there may be more.
    func endWaiting(_ transaction: Transaction) throws -> Bool {
        let overdue = try transaction.overdueParts(limit: Self.endedAtOnce)
        for (place, part) in overdue {
            try end(part, at: place, code: "expired", "the others did not come in time", transaction)
        }
        return overdue.count == Self.endedAtOnce
    }

    private func end(
        _ part: GatheredPart, at place: GatheringPlace, code: String, _ why: String, _ transaction: Transaction
    ) throws {
        guard try transaction.delete(part, from: place), let cause = try transaction.cause(part.cause) else { return }
        let before = try transaction.verdict(of: part.cause, project: place.project, pipeline: place.pipeline)
        let waited = before.map { ": \($0.reason)" } ?? ""
        try conclude(cause, at: place, code: code, why + waited, transaction)
    }
}
