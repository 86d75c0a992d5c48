import Messages
import ServiceKit
import Store

/// What is to be told, before it is known to whom.
struct Message: Hashable, Sendable {
    /// What it tells of: the same event and recipient are told once.
    var event: String
    var type: String
    var project: String
    var notice: Notice
    var causation: Causation
}

extension Transaction {
    func queue(_ message: Message, to recipient: Recipient) throws {
        let delivery = Delivery(
            id: newID(), event: message.event, recipient: recipient, notice: message.notice, type: message.type,
            project: message.project, causation: message.causation, state: .waiting, attempts: 0)
        if try add(delivery) {
            try intend(Delivering.kind, id: delivery.id, payload: delivery.id)
        }
    }
}
