import Messages
import Store

extension Dispatcher {
    /// An outsider's event that answers an approval; other events are not looked at.
    ///
    /// It counts for a client that its key proves, where the environment's list names that key. What comes over a bus
    /// without keys, or was published in a person's name, answers nothing: publishing takes a lesser right than approving.
    func answer(_ event: Envelope, key client: String?, _ transaction: Transaction) throws {
        guard event.type == EventAnswer.type else { return }
        do {
            guard let client else {
                throw Refusal("an event answers an approval only over a bus with keys; people use `martlet approve`")
            }
            let given = try EventAnswer(event.data)
            if let approval = try transaction.approval(given.answer.approval) { try given.check(approval) }
            let answerer = Answerer(name: "key:\(client)", email: nil)
            try answer(given.answer, by: answerer, because: event.consequence, transaction)
            let run = try transaction.approval(given.answer.approval)?.run
            try answer(event.id, event.consequence, run: run, transaction)
        } catch let refusal as Refusal {
            try answer(event.id, event.consequence, refused: refusal.reason, transaction)
        }
    }
}
