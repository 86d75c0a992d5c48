import Foundation
import Messages

/// Where a client's version comes from: of code in training the suite knows it, of others what their client says (G13).
struct Origin: Sendable, Hashable {
    /// The pipeline's run that it was trained in.
    var run: String?
    var git: GitReference?
    var snapshot: Digest?
    var environment: Digest?
    var environmentVersion: EnvironmentReference?
    var dataset: DatasetReference?
    var predictions: Digest?
    var build: BuildReference?
    /// How far the logs had come with what its run did before it.
    var after: [LogPosition] = []

    /// Of a training run: what was said at its start comes first, and of older ones nothing was said there.
    init(_ started: TrainingStarted?, _ finished: TrainingFinished?) {
        run = started?.run ?? finished?.run
        git = started?.git ?? finished?.git
        snapshot = started?.snapshot ?? finished?.snapshot
        environment = started?.environment ?? finished?.environment
        environmentVersion = started?.environmentVersion ?? finished?.environmentVersion
        dataset = started?.dataset ?? finished?.dataset
        predictions = finished?.predictions
        build = started?.build
        after = started?.after ?? []
    }
}

/// The commit that an MLflow client notes in its run's tags, where the code runs in a working copy.
enum NotedCommit {
    static let tags = ["mlflow.source.git.commit", "mlflow.source.git.branch", "mlflow.source.git.repoURL"]

    /// Of none of the suite's repositories, whatever its address: nothing is checked out because a client said so.
    static func read(_ tags: [String: String]) -> GitReference? {
        guard let sha = tags[Self.tags[0]]?.lowercased(), [40, 64].contains(sha.utf8.count),
            sha.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        return GitReference(
            repository: "", url: address(tags[Self.tags[2]] ?? ""), branch: tags[Self.tags[1]] ?? "", sha: sha,
            message: "")
    }

    /// Without what somebody logs in with.
    private static func address(_ text: String) -> String {
        // git@host:path names nobody's secret.
        guard text.contains("://") else { return text }
        guard var parts = URLComponents(string: text) else { return "" }
        parts.user = nil
        parts.password = nil
        parts.query = nil
        return parts.string ?? ""
    }
}
