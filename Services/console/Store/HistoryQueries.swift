import EventLog
import Foundation
import GRDB
import Messages

/// A model's stage history as the registry's log told it, held to its chain.
enum HistoryQueries {
    /// - Returns: how far it reaches, and what does not fit; of events from before there was a chain nothing is said.
    static func told(_ model: String, _ db: Database) throws -> (last: HistoryMark?, problem: String?) {
        let bodies = try Row.fetchCursor(
            db, sql: "SELECT body FROM events WHERE type = ? AND key = ? ORDER BY position",
            arguments: [shortEventName(ModelStageChanged.eventType), model])
        var mark: HistoryMark?
        while let row = try bodies.next() {
            let envelope = try Wire.decode(Envelope.self, from: row["body"] as Data)
            guard let body = try envelope.body(ModelStageChanged.self), let told = body.history else { continue }
            let moves = HistoryMove.moves(
                of: body, event: envelope.id, actor: envelope.actor, time: envelope.time)
            // Nothing is known before the first: its word is taken for it, as long as it is the model's beginning or not.
            let before = mark ?? (told.moves == moves.count ? HistoryChain.start : nil)
            if let before, try HistoryChain.mark(after: before, of: moves) != told {
                return (told, "event \(envelope.id) of \(envelope.time.text) does not follow from those before it")
            }
            mark = told
        }
        return (mark, nil)
    }
}
