import Messages

extension Job {
    /// The selector of the champion that its `recheck` speaks of, where a step of a job before it names that:
    /// `needs.JOB.OUTPUT`, which is `steps.ID.champion` of an `evaluate/…` there. `nil`: the model's own is meant.
    package func comparedSelector(among jobs: [Job]) -> String? {
        guard let needed = recheck?.championUnchanged.reference, needed.root == .needs, needed.path.count == 2,
            let job = jobs.first(where: { $0.id == needed.path[0] }),
            let output = job.outputs[needed.path[1]]?.reference, output.root == .steps,
            output.path.count == 2, output.path[1] == "champion",
            let step = job.steps.first(where: { $0.id == output.path[0] }), step.verb.hasPrefix("evaluate/")
        else { return nil }
        return step.with["champion"]?.literalText
    }
}

extension Model {
    /// What `champion: current` means only the deployer knows.
    static let unwatched = "current"

    var hasWatchedChampion: Bool { champion.map { $0.literalText != Self.unwatched } ?? false }
}

extension Template {
    /// Where it is one whole reference.
    fileprivate var reference: Expression.Reference? {
        if case .expression(.reference(let reference)) = self { reference } else { nil }
    }
}
