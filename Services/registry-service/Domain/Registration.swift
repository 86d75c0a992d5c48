import Messages

/// What a training run left behind, as its `training.finished` told it.
typealias TrainingRun = TrainingFinished

/// A wish to make a training run's model a version.
struct Registration: Sendable {
    var model: String
    var trainingRun: String
    var tags: [String: String]
    /// Tags that were given nothing, as by a metric that was not measured.
    var emptyTags: Set<String> = []
    /// A folder or file that the artifact must hold.
    var path: String?

    /// The artifact to register.
    func artifact(of run: TrainingRun?) throws(Refusal) -> ModelArtifact {
        guard let run else {
            throw Refusal(
                "there is no training run '\(trainingRun)': give registry/register the run_id of a train/run step")
        }
        guard run.outcome == .succeeded else {
            throw Refusal(
                "training run '\(trainingRun)' ended \(run.outcome.rawValue): only a succeeded run can be registered")
        }
        guard let artifact = run.model else {
            throw Refusal(
                "training run '\(trainingRun)' wrote no model: write its files to the folder $MARTLET_OUTPUT/model")
        }
        // `model` is the name of the folder itself, whose files the artifact holds.
        guard let path, path != "model", !path.isEmpty else { return artifact }
        // Of many files only some are named: then the archive itself has to be asked.
        if artifact.fileCount == nil { try check(path, isAmong: artifact.files) }
        return artifact
    }

    func check(_ path: String, isAmong files: [String]) throws(Refusal) {
        guard !files.contains(where: { $0 == path || $0.hasPrefix(path + "/") }) else { return }
        let known = files.prefix(10).joined(separator: ", ")
        throw Refusal("the model of training run '\(trainingRun)' holds no '\(path)'; it holds: \(known)")
    }

    /// What of a version travels in its event, in bytes; more would be too long for an event.
    static let mostFactBytes = 32 << 10

    static func checkSize(_ facts: ModelRegistered) throws {
        let parts = [facts.metrics, facts.params.mapValues(JSONValue.string), facts.tags.mapValues(JSONValue.string)]
        let bytes = try parts.reduce(0) { try $0 + Wire.encode(JSONValue.object($1)).count }
        guard bytes <= mostFactBytes else {
            throw Refusal(
                "metrics, parameters and tags have \(bytes) bytes together, more than \(mostFactBytes); "
                    + "keep the rest in a file of the model")
        }
    }
}

extension Registration {
    /// Leaves out what an event has no room for, of what a run told the registry, where it stays: parameters, and numbers
    /// only where they are too long without them. What the project requires is never left out.
    static func shorten(_ facts: inout ModelRegistered, keeping required: [String]) throws {
        func isTooLong() -> Bool { (try? checkSize(facts)) == nil }
        guard isTooLong() else { return }
        facts.params = facts.params.filter { required.contains("params.\($0.key)") }
        if isTooLong() { facts.metrics = facts.metrics.filter { required.contains("metrics.\($0.key)") } }
        try checkSize(facts)
    }

    /// What `dataset`, `description` and `type` of the step say, as tags of the version (S1-14, S2-15).
    ///
    /// `description_from` lists `params`, `metrics`, or single ones such as `metrics.accuracy`.
    static func notes(_ with: JSONValue, of run: TrainingRun) throws(Refusal) -> [String: String] {
        var tags: [String: String] = [:]
        tags["dataset"] = with["dataset"]?["id"]?.scalarText ?? with["dataset"]?.scalarText
        tags["dataset_role"] = with["dataset"]?["role"]?.scalarText
        tags["type"] = with["type"]?.scalarText
        tags["description"] = with["description"]?.scalarText
        if let names = with["description_from"]?.array {
            var facts: [String] = []
            for name in names.compactMap(\.string) { facts += try described(name, run) }
            tags["description"] = ([tags["description"]].compactMap { $0 } + facts).joined(separator: ", ")
        }
        return tags.filter { !$0.value.isEmpty }
    }

    /// What people read of a new version (S2-17), and of metrics that it was to be given and that were not measured: the
    /// registration itself is sound (S2-15).
    func message(version: Int, description: String?, of run: TrainingRun, _ with: JSONValue) -> String {
        let about = description?.shortened(to: 500) ?? "None"
        let registered = "Model registered: \(model), Model Description: \(about), Model Version: \(version)"
        let names = (with["description_from"]?.array ?? []).compactMap(\.string).filter { $0.hasPrefix("metrics.") }
        let metrics = emptyTags.union(names.map { String($0.dropFirst("metrics.".count)) })
        let missing = metrics.filter { run.metrics[$0]?.scalarText == nil }.sorted()
            .map { "Could not find \($0) metric on parent run." }
        return ([registered] + missing).joined(separator: "\n")
    }

    private static func described(_ name: String, _ run: TrainingRun) throws(Refusal) -> [String] {
        let metrics = run.metrics.compactMapValues(\.scalarText)
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        let known: [String: String]
        switch parts.first {
        case "metrics": known = metrics
        case "params": known = run.params
        default: throw Refusal("with.description_from: '\(name)' begins with neither params nor metrics")
        }
        guard parts.count > 1 else { return known.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" } }
        // A number that was not measured is left out, as with tags: the registration itself is sound (S2-15).
        return known[parts[1]].map { ["\(parts[1]): \($0)"] } ?? []
    }
}

/// Whether a project may change a model: one repository's pipelines do not touch another's (S0-5).
func checkOwner(of model: String, declaredBy owner: String?, asking project: String) throws(Refusal) {
    if let owner, owner != project {
        throw Refusal("model '\(model)' belongs to project '\(owner)': project '\(project)' may not change it")
    }
}
