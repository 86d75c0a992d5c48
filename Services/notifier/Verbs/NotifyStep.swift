import Messages
import ServiceKit
import Store

/// `notify/slack` and `notify/file`: a pipeline's own words, queued like everything else that people are told.
enum NotifyStep {
    static let verb = StepVerb.transactional(["notify/slack", "notify/file"], perform: perform)

    /// The step ends once the message is on disk; a channel that is down does not hold a run up.
    static func perform(_ work: StepWork, _ transaction: Transaction) throws -> StepResult {
        let use = String(work.verb.drop { $0 != "/" }.dropFirst())
        guard let text = work.with["text"]?.scalarText, !text.isEmpty else {
            throw StepFailure("\(work.verb): 'text' is empty")
        }
        let channel = work.with["channel"] ?? .null
        let recipient = Recipient(use: use, secret: SecretReference.name(in: channel), channel: channel.string)
        if case .unserved = recipient {
            throw StepFailure("\(work.verb): 'channel' is neither a text nor a secret, as in ${{ secrets.HOOK }}")
        }
        let notice = Notice(headline: text, url: work.run.url)
        let message = Message(
            event: work.item, type: work.verb, project: work.run.project, notice: notice, causation: work.causation)
        try transaction.queue(message, to: recipient)
        return StepResult(.succeeded, outputs: ["recipient": .string(recipient.name)])
    }
}
