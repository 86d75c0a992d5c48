import Messages
import ServiceKit

/// Who asks at the MLflow door, and what that may do.
struct Caller: Sendable, Hashable {
    var actor: Actor
    /// For `user_id`.
    var name: String
    /// Set where the code of a training run asks, with the token that it was started with.
    var training: Training?

    struct Training: Sendable, Hashable {
        var trainingRun: String
        var run: String
        var project: String
        /// Code of a fork's pull request.
        var isUntrusted = false
    }

    /// Code in training writes to what itself has made, and to nothing else.
    func checkWriting(to trainingRun: String?, _ what: String) throws(MLflowError) {
        guard let training, training.trainingRun != trainingRun else { return }
        throw .denied("\(what) was not made by training run \(training.trainingRun), whose token this is")
    }

    /// What training code measured and made is told by that code, while it runs, and by nobody else: a version that is
    /// made of it carries the training's lineage.
    func checkMaking(by trainingRun: String?, _ what: String) throws(MLflowError) {
        try checkWriting(to: trainingRun, what)
        guard training == nil, let trainingRun else { return }
        throw .denied(
            "\(what) holds what training run \(trainingRun) measured and made: log yours in a run of your own")
    }
}

/// What a request needs, from least to most.
enum Need: Sendable, Hashable {
    case reading
    case writing
    /// Moves, promotes or deletes what others rely on: no training code does.
    case deciding
}
