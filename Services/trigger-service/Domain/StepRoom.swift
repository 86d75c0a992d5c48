import Messages
import ProjectFile

/// How much a step is handed, and may leave for the next worker: what a claim is answered with has to fit into one
/// reply of the bus, which has 1 MiB and is read to a depth of 128.
enum StepRoom {
    static let inputs = 256 << 10
    static let checkpoint = 256 << 10
    /// Of what is granted with one claim: no further step is after so many bytes, and the last one may have
    /// `inputs` and `checkpoint` more.
    static let claim = 384 << 10

    static func check(_ offer: StepOffer) throws(EvaluationError) {
        let handed: JSONValue = [offer.with, .object(offer.variables.mapValues(JSONValue.string))]
        let bytes = EventRoom.bytes(handed)
        guard bytes <= inputs else {
            throw EvaluationError(
                message: "its inputs take \(bytes) bytes, and a step has at most \(inputs); put more into an artifact"
                    + " (artifact/publish) or a file of the repository, and refer to it")
        }
        guard !offer.with.isDeeper() else {
            throw EvaluationError(
                message: "its inputs are nested in more than \(JSONValue.mostLevels) levels; hand on less of them")
        }
    }

    /// Why a worker's state is not kept; `nil`: it is.
    static func refusal(ofCheckpoint state: JSONValue) -> String? {
        let bytes = EventRoom.bytes(state)
        if bytes > checkpoint {
            return "the state takes \(bytes) bytes, and at most \(checkpoint) are kept; put more into an artifact"
        }
        return state.isDeeper() ? "the state is nested in more than \(JSONValue.mostLevels) levels" : nil
    }
}
