import EventLog
import Messages
import Store

extension Transaction {
    /// Looks through a model's history and says what was found; an altered one is news to everybody.
    func review(_ wish: HistoryCheckRequested, asked envelope: Envelope) throws {
        let model = wish.model
        let review = try HistoryReview(
            moves: try StageQueries.moves(of: model, db), told: try StageQueries.toldMarks(of: model, db),
            stages: try StageQueries.holders(of: model, db))
        try publish(
            ModelHistoryChecked(
                model: model, intact: review.problem == nil, history: review.mark, problem: review.problem,
                command: envelope.id),
            subject: "model/\(model)", key: model, because: envelope.consequence)
    }
}
