import Artifacts
import Foundation
import Messages

/// Everything that a comparison looks at: numbers that were told, predictions that were stored, or both made afresh.
struct Evidence: Sendable {
    var challenger: Side
    var champion: Side?
    /// What both were scored on afresh.
    var dataset: DatasetReference?
    /// Of what was read: `challenger`, `champion` predictions.
    var digests: [String: Digest] = [:]

    /// The same files give the same random numbers.
    var seed: UInt64 {
        digests.values.reduce(0) { seed, digest in seed ^ (UInt64(digest.hex.prefix(16), radix: 16) ?? 0) }
    }

    init(of question: Question, scoring: Scoring, artifacts: ArtifactStore) async throws {
        challenger = Side(source: question.challenger.source)
        champion = question.champion.map { Side(source: $0.source) }
        if let request = question.input.against {
            let dataset = try await scoring.dataset(request)
            self.dataset = dataset.reference
            let own = try await scoring.score(request, .challenger, question.challenger, on: dataset)
            (challenger, digests["challenger"]) = (own.side, own.predictions)
            if let candidate = question.champion {
                let other = try await scoring.score(request, .champion, candidate, on: dataset)
                (champion, digests["champion"]) = (other.side, other.predictions)
            }
            return
        }
        // Without a champion there is nothing to hold predictions against.
        guard question.input.rule.needsPredictions, question.champion != nil else { return }
        (challenger.predictions, digests["challenger"]) = try await Self.predictions(
            of: question.challenger, whose: "the new model", artifacts)
        let current = try await Self.predictions(of: question.champion, whose: "the current model", artifacts)
        champion?.predictions = current.0
        digests["champion"] = current.1
    }

    private static func predictions(
        of candidate: Candidate?, whose: String, _ artifacts: ArtifactStore
    ) async throws -> (Predictions?, Digest?) {
        guard let digest = candidate?.predictions else { return (nil, nil) }
        guard let size = try await artifacts.size(digest), size <= Int64(Predictions.largest) else {
            throw Refusal("the predictions of \(whose) are missing, or larger than \(Predictions.largest) bytes")
        }
        let bytes = try await artifacts.read(digest)
        return (try await FileQueue().run { try Predictions(bytes, whose: whose) }, digest)
    }
}
