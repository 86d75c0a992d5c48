import Messages
import Store

extension Dispatcher {
    /// Takes a stored cause once more (C-21): the same event, commit and file, and another id, so that it is no repetition.
    func replay(_ wish: ReplayRequested, _ envelope: Envelope, _ transaction: Transaction) throws {
        guard let cause = try transaction.cause(wish.event) else {
            throw Refusal(
                "there is no cause '\(wish.event)': pushes, ticks, commands, finished runs and changes of models are;"
                    + " `martlet why-not PIPELINE` lists those of a pipeline")
        }
        guard try transaction.waitingCause(wish.event) == nil else {
            throw Refusal("'\(wish.event)' itself has not been looked at yet: its repository has to be read first")
        }
        try take(cause.replayed(by: wish, envelope), transaction)
    }

    /// What became of it for all pipelines together; where one was named, that one's answer stands.
    func answerReplay(_ cause: Cause, _ transaction: Transaction) throws {
        guard cause.replayOf != nil, !cause.isCommand else { return }
        let verdicts = try transaction.verdicts(of: cause.id)
        if let started = verdicts.first(where: \.matched) {
            return try answer(cause.id, cause.because, run: started.run, transaction)
        }
        let reason = verdicts.first.map { ": \($0.pipeline): \($0.reason)" } ?? ""
        try answer(cause.id, cause.because, refused: "nothing starts on it\(reason)", transaction)
    }
}
