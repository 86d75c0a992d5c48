/// Which of our own events may start the pipelines that name their type (`on: event`), as those of other programs do. The
/// others are triggers of their own (`push`, `model`, `pipeline`, …), or tell of what was decided and done about them.
public enum HeardEvents {
    /// What forges tell of.
    public static let ofForges = [
        PullRequestMerged.name, PullRequestClosed.name, BranchCreated.name, BranchDeleted.name, ReleasePublished.name,
    ]

    /// What services tell of as it happens: data that came, judgements, what serves and how it does.
    public static let ofServices = [
        DatasetRegistered.name, EnvironmentRegistered.name, ArtifactPublished.name, ChecksPublished.name,
        TrainingFinished.name, EvaluationDecided.name, EvaluationVoided.name, EvaluationBypassed.name,
        TestSuiteFinished.name, DeploymentFinished.name, DeploymentRolledBack.name, DeploymentDrifted.name,
        DeploymentSettled.name, EndpointChanged.name, SmokeTestFinished.name,
    ]
}
