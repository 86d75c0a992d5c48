import Messages

/// What both models are scored on afresh, and with what (E6, S4-10).
struct ScoringRequest: Hashable, Sendable {
    /// `name`, `name:3`, or the path of a file or folder of the commit.
    var dataset: String
    /// The column that holds what is true.
    var label: String?
    var command: String

    /// - Parameter declared: the command that the model's project declares (`model.score`).
    init?(_ with: JSONValue, declared: String?) throws(Refusal) {
        guard let value = with["against"], value != .null, value != "" else { return nil }
        let fields: JSONValue = value.object == nil ? ["dataset": value] : value
        try fields.refuseOthers(than: ["dataset", "label"], path: "with.against")
        guard let dataset = try fields.text("dataset") else {
            throw Refusal("with.against.dataset is missing: name a data set, like dataset: reference or reference:3")
        }
        self.dataset = dataset
        label = try fields.text("label")
        guard let command = try with.text("score") ?? declared else {
            throw Refusal(
                "with.score is missing, and the model declares no score: write the command that scores "
                    + "$MARTLET_MODEL on $MARTLET_DATASET and writes $MARTLET_OUTPUT/\(Predictions.file) or metrics.json"
            )
        }
        self.command = command
    }

    /// The data set's name, and its version where one is named.
    var name: (name: String, version: Int?) {
        guard let colon = dataset.lastIndex(of: ":"), let version = Int(dataset[dataset.index(after: colon)...]),
            version > 0
        else { return (dataset, nil) }
        return (String(dataset[..<colon]), version)
    }

    /// Which of the two is being scored; also the name of its folder.
    enum Role: String, CaseIterable, Sendable { case challenger, champion }

    /// What the process sees.
    ///
    /// - Parameters:
    ///   - python: folder of the Python environment that goes before everything else.
    ///   - dataset: the file or folder of the data set.
    func variables(
        _ work: StepWork, role: Role, own: [String: String], folder: ScoringPlaces, python: String?, dataset: String
    ) -> [String: String] {
        var variables = ProcessVariables.of(work, own: own, python: python, marker: folder.root)
        variables["MARTLET_MODEL"] = folder.model
        variables["MARTLET_OUTPUT"] = folder.output
        variables["MARTLET_DATASET"] = dataset
        variables["MARTLET_LABEL"] = label
        variables["MARTLET_ROLE"] = role.rawValue
        return variables
    }
}

/// The folders of one scoring.
struct ScoringPlaces: Hashable, Sendable {
    var root: String
    var model: String
    var output: String
}

/// What the evaluator's processes see of this machine and of their run.
enum ProcessVariables {
    /// Marks every process of a work item with its folder, by which it is found again.
    static let marker = "MARTLET_TEST_FOLDER"

    static func of(_ work: StepWork, own: [String: String], python: String?, marker: String) -> [String: String] {
        let handedOn = ["PATH", "HOME", "USER", "TMPDIR", "TZ", "LD_LIBRARY_PATH"]
        var variables = own.filter { handedOn.contains($0.key) }
        variables["LANG"] = "C.UTF-8"
        variables["CI"] = "true"
        variables["PYTHONUNBUFFERED"] = "1"
        variables.merge(work.variables) { _, declared in declared }
        variables["PATH"] = variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        if let python {
            variables["VIRTUAL_ENV"] = python
            variables["PATH"] = "\(python)/bin:" + (variables["PATH"] ?? "")
        }
        variables["MARTLET"] = "true"
        variables["MARTLET_RUN"] = work.run.id
        if let git = work.run.git {
            variables["MARTLET_SHA"] = git.sha
            variables["MARTLET_BRANCH"] = git.branch
        }
        variables[Self.marker] = marker
        return variables
    }

    /// Nothing that the evaluator starts is given a secret.
    static func refuseSecrets(_ work: StepWork, what: String) throws(Refusal) {
        for (name, value) in work.variables where SecretReference.name(inText: value) != nil {
            throw Refusal("variable \(name): \(what) get no secrets; use a run: step for what needs one")
        }
    }
}
