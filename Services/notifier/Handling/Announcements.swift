import Foundation
import Messages
import ServiceKit
import Store

/// Turns each event into the deliveries that the rules of its project ask for.
struct Announcements: Sendable {
    /// Of the console, for links; asked each time, since it may move.
    var consoleURL: @Sendable () -> String

    func handle(_ event: ReceivedEvent, _ transaction: Transaction) throws {
        let envelope = event.envelope
        do {
            try remember(envelope, transaction)
            if let body = try envelope.body(NotificationTestRequested.self) {
                return try test(envelope, project: body.project, transaction)
            }
            guard Self.mayInterest(envelope.type) else { return }
            try tell(envelope, transaction)
            // Last: a project's end is still its own news.
            if let body = try envelope.body(ProjectRetired.self) { try transaction.retire(body.project) }
        } catch let error as DecodingError {
            throw DeadAtOnce("\(envelope.type) \(envelope.id) is not what its type says: \(error)")
        }
    }

    private func tell(_ envelope: Envelope, _ transaction: Transaction) throws {
        if let run = Whereabouts(of: envelope).run, try transaction.place(of: run) == nil,
            envelope.type.hasPrefix("dev.martlet.")
        {
            // Not thrown: it would be parked under the run's key, and the run's own first event behind it.
            return try transaction.keepEarly(envelope, of: run)
        }
        if let body = try envelope.body(EvaluationDecided.self), body.advisory == true {
            let advice = "Advisory: the comparison of \(body.metric) at \(body.step) holds nobody up"
            try transaction.note(advice: advice, ofRun: body.run)
        }
        for (project, place) in try belongings(of: envelope, transaction) {
            try announce(envelope, project: project, place: place, transaction)
        }
    }

    /// Wishes of people are no news; what comes of them is.
    private static func mayInterest(_ type: String) -> Bool { !type.hasPrefix("dev.martlet.command.") }

    private func remember(_ envelope: Envelope, _ transaction: Transaction) throws {
        if let body = try envelope.body(ProjectLoaded.self) { try transaction.declare(body) }
        if let body = try envelope.body(ProjectUnchanged.self) {
            try transaction.makeCurrent(project: body.project, repository: body.repository, digest: body.digest)
        }
        if let body = try envelope.body(RunQueued.self) {
            try transaction.remember(RunPlace(body, actor: envelope.actor))
            for early in try transaction.takeEarly(of: body.run) { try tell(early, transaction) }
        }
    }

    private func belongings(
        of envelope: Envelope, _ transaction: Transaction
    ) throws -> [(project: String, place: RunPlace?)] {
        let whereabouts = Whereabouts(of: envelope)
        if let run = whereabouts.run, let place = try transaction.place(of: run) {
            return [(place.project, place)]
        }
        if let project = whereabouts.project { return [(project, nil)] }
        if let model = whereabouts.model, let project = try transaction.project(ofModel: model) {
            return [(project, nil)]
        }
        return try whereabouts.repository.map { try transaction.projects(ofRepository: $0) }?.map { ($0, nil) } ?? []
    }

    private func announce(
        _ envelope: Envelope, project: String, place: RunPlace?, _ transaction: Transaction
    ) throws {
        let pipeline = place?.pipeline ?? envelope.data["pipeline"]?.string
        let rules = try transaction.rules(project: project, digest: place?.fileDigest)
            .filter { $0.wants(envelope, of: pipeline) }
        guard !rules.isEmpty else { return }
        let notice = try NoticeWriter(place: place, project: project, consoleURL: consoleURL()).notice(for: envelope)
        for recipient in rules.map(Recipient.init) {
            try transaction.queue(
                Message(
                    event: envelope.replayof ?? envelope.id, type: shortEventName(envelope.type), project: project,
                    notice: notice, causation: envelope.consequence), to: recipient)
        }
    }

    /// One message to each recipient that the project has.
    private func test(_ envelope: Envelope, project: String, _ transaction: Transaction) throws {
        let notice = try NoticeWriter(place: nil, project: project, consoleURL: consoleURL()).notice(for: envelope)
        let rules = try transaction.rules(project: project, digest: nil)
        if rules.isEmpty {
            let reason = "project '\(project)' has no channels: give it some under 'notify:' in its martlet.yml"
            try transaction.publish(
                NotifierCommandAnswered(command: envelope.id, accepted: false, reason: reason),
                subject: "project/\(project)", key: project, because: envelope.consequence)
        }
        for recipient in rules.map(Recipient.init) {
            try transaction.queue(
                Message(
                    event: envelope.replayof ?? envelope.id, type: shortEventName(envelope.type), project: project,
                    notice: notice, causation: envelope.consequence), to: recipient)
        }
    }
}
