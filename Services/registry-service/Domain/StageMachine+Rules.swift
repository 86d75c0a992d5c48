import Messages

extension StageMachine {
    /// The words of MLflow and of trunk-based flows, which a project may narrow (project-file D.3).
    private static let presets: [String: [String: StageRule]] = [
        "mlflow": [
            "Staging": StageRule(many: true),
            "Production": StageRule(many: true),
            "Archived": StageRule(many: true),
        ],
        "trunk": [
            "staged": StageRule(many: false, replacedBecomes: "unstaged"),
            "unstaged": StageRule(many: true),
            "production": StageRule(many: false, replacedBecomes: "surpassed"),
            "surpassed": StageRule(many: true),
        ],
    ]

    /// What holds for each stage: the preset's rules under the declared ones.
    var rules: [String: StageRule] {
        (Self.presets[preset] ?? [:]).merging(states) { _, declared in declared }
    }

    /// The way to production in a preset; a project's own stages have no order.
    private static let ways = ["mlflow": ["Staging", "Production"], "trunk": ["staged", "production"]]

    /// Whether a move is the reverse of a promotion.
    func leadsBack(from now: String, to target: String?) -> Bool {
        let way = Self.ways[preset] ?? []
        guard let target, let end = way.firstIndex(of: target), let start = way.firstIndex(of: now) else {
            return false
        }
        return end < start
    }

    /// The tag that shows the stage; `nil` where there are no stages to show.
    var mirror: String? { rules.isEmpty || tag.isEmpty ? nil : tag }

    /// The word of MLflow's preset for a version that nobody has moved yet.
    private var noneWord: String { preset == "mlflow" ? "None" : "none" }

    /// A stage as it was written: `none`, `None` and nothing mean no stage.
    func stage(_ word: String) -> String? { word.lowercased() == "none" || word.isEmpty ? nil : word }

    /// The rule of a stage; `None` may have one too.
    func rule(of stage: String?) -> StageRule? { rules[stage ?? noneWord] }

    /// A stage for people.
    func name(of stage: String?) -> String { stage ?? noneWord }
}
