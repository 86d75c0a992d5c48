import Artifacts
import GRDB
import Messages
import Store

extension MLflowDoor {
    /// What the code of a training run told, for trainer-proxy to tell on when it has ended.
    func addTraining(_ routes: MLflowRoutes) {
        routes.get("/api/v1/training-runs/{id}", .reading) { call in
            let id = try call.part("id")
            try call.caller.checkWriting(to: id, "training run \(id)")
            let told = try await store.read { db -> (JSONValue, VersionFiles?) in
                guard let told = try TrainingQueries.told(by: id, db) else { return (Self.done, nil) }
                var answer: [String: JSONValue] = [
                    "metrics": .object(told.facts.metrics),
                    "params": .object(told.facts.parameters.mapValues(JSONValue.string)),
                    "tags": .object(told.tags.mapValues(JSONValue.string)),
                ]
                do {
                    return (.object(answer), try told.model.flatMap { try VersionFiles.at($0, db) })
                } catch let error as MLflowError {
                    // Of too many files, say: what was measured is told all the same.
                    answer["problem"] = .string(error.message)
                    return (.object(answer), nil)
                }
            }
            var answer = told.0.object ?? [:]
            if let files = told.1 {
                let artifact = try await files.artifact(in: artifacts)
                // Whatever becomes of the paths: what is registered of this run has these files.
                try await store.write { tx in try tx.remember(list: artifact.digest, files: files.listed) }
                answer["model"] = try Wire.tree(artifact)
            }
            return try Self.reply(.object(answer))
        }
    }
}
