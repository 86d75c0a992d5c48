import Messages
import Synchronization

/// What follows from a run that moved, in the order in which it came up, within one transaction.
final class LeftToDo: Sendable {
    enum Item: Sendable {
        /// A step that this service does itself.
        case begin(StepPlace, of: String)
        /// A run ended; the event that says so.
        case followUp(Envelope, Run)
    }

    private let items = Mutex<(list: [Item], done: Int)>(([], 0))

    func add(_ item: Item) { items.withLock { $0.list.append(item) } }

    func next() -> Item? {
        items.withLock { items in
            guard items.done < items.list.count else { return nil }
            items.done += 1
            return items.list[items.done - 1]
        }
    }
}
