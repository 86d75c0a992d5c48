import Foundation

/// What an event says of the state that others keep: it outlives the retention of its log, for snapshots, until a later
/// event says the same aspect of the same entity anew (bus.md 6).
///
/// A log without everything that was replaced leads to the same state as the whole log: whoever reads a snapshot handles
/// its events like any others. Events that are no facts are happenings: whoever was away for so long has missed them.
public struct Fact: Sendable, Hashable {
    /// `run/0192…`, `version/churn/17`.
    public var entity: String
    /// Told anew, the older one goes.
    public var aspect: String
    /// Everything told before of the entity no longer matters: it began anew, or it is over.
    public var replacesEntity: Bool
    /// For how long after the event it is still told that the entity is over; `nil`: for ever.
    public var days: Int?

    public init(_ entity: String, _ aspect: String, replacesEntity: Bool = false, days: Int? = nil) {
        self.entity = entity
        self.aspect = aspect
        self.replacesEntity = replacesEntity
        self.days = days
    }

    static func begun(_ entity: String, _ aspect: String) -> Fact { Fact(entity, aspect, replacesEntity: true) }

    /// Whoever knows the entity as open must hear of its end, even long after.
    static func over(_ entity: String, _ aspect: String) -> Fact {
        Fact(entity, aspect, replacesEntity: true, days: 90)
    }
}

extension Envelope {
    /// `nil` for happenings, for events of outsiders, and for what cannot be read.
    public var fact: Fact? { FactRule.byType[type]?.fact(self) }
}

/// How one type of event is a fact.
struct FactRule: Sendable {
    let type: any EventBody.Type
    let fact: @Sendable (Envelope) -> Fact?

    static func on<Body: EventBody>(
        _ type: Body.Type, _ fact: @escaping @Sendable (Body, Envelope) -> Fact
    ) -> FactRule {
        FactRule(type: type) { envelope in
            (try? envelope.body(Body.self)).flatMap { body in body.map { fact($0, envelope) } }
        }
    }

    static let all =
        sequencing + computing + [
            // A new word replaces the last one: a model's latest comparison.
            on(EvaluationDecided.self) { body, _ in Fact("model/\(body.model)", "decision") },
            // For as long as people may be asked about it.
            on(EvaluationVoided.self) { body, _ in Fact("decision/\(body.decision)", "void", days: 90) },
        ] + models + deployments + suite

    static let byType = Dictionary(uniqueKeysWithValues: all.map { ($0.type.eventType, $0) })

    /// Told once, and of no state that anybody keeps.
    static let happenings: [any EventBody.Type] = [
        // Pull requests and tags are the forge's and git's to keep.
        TagCreated.self, BranchCreated.self, BranchDeleted.self, PullRequestOpened.self, PullRequestUpdated.self,
        PullRequestMerged.self, PullRequestClosed.self, ReleasePublished.self, Commented.self,
        TriggerMatched.self, TriggerIgnored.self, CommandAnswered.self, TrainingStarted.self, ArtifactPublished.self,
        TestSuiteFinished.self, ModelTransitionRefused.self, ModelCommandAnswered.self, DeployerCommandAnswered.self,
        EvaluationBypassed.self, EvaluationCommandAnswered.self, ModelHistoryChecked.self, ChecksPublished.self,
        // What a webhook is, and what waits for it, is in the registry's own database.
        ModelWebhookChanged.self, ModelWebhookFailed.self,
        // What was sent is nobody's state; what was not is in the notifier's own database.
        NotificationSent.self, NotificationFailed.self, NotifierCommandAnswered.self, SourceSilent.self,
        StepUnserved.self,
        // Each tick is a cause, and the next one is in the trigger-service's own database.
        ScheduleTicked.self, ScheduleMissed.self, ReplayRequested.self,
        EpochBegun.self, ClientDenied.self, SnapshotTaken.self, LogCommandAnswered.self,
        // Wishes: nobody may take up a person's wish that is older than what a log keeps.
        RunRequested.self, RunCancelRequested.self, RunRetryRequested.self, RepositoryAddRequested.self,
        RepositoryRemoveRequested.self, ApprovalAnswered.self, ApprovalRevokeRequested.self, TransitionRequested.self,
        RollbackRequested.self, BypassRequested.self, HistoryCheckRequested.self,
        DeadLetterAnswered.self, LogReleaseRequested.self, LogEpochRequested.self, NotificationTestRequested.self,
    ]

    // MARK: - trigger-service: repositories, projects, open runs and approvals

    private static let sequencing: [FactRule] = [
        on(RepositoryAdded.self) { body, _ in .begun("repository/\(body.repository)", "added") },
        on(RepositoryRemoved.self) { body, _ in .over("repository/\(body.repository)", "removed") },
        on(RepositoryUnreachable.self) { body, _ in Fact("repository/\(body.repository)", "reach") },
        on(RepositoryRecovered.self) { body, _ in Fact("repository/\(body.repository)", "reach") },
        on(ChangePushed.self) { body, _ in Fact("repository/\(body.repository)", "pushed") },
        on(ProjectRejected.self) { body, _ in
            guard let number = body.pullRequest else { return Fact("repository/\(body.repository)", "rejected") }
            // What somebody proposes replaces nothing, and is soon of no interest.
            return Fact("repository/\(body.repository)", "rejected/pull/\(number)", days: 1)
        },
        // Each version of the file: an open run goes by the one that it began with.
        on(ProjectLoaded.self) { body, _ in Fact("project/\(body.project)", "file/\(body.digest)") },
        on(ProjectUnchanged.self) { body, _ in Fact("project/\(body.project)", "commit") },
        on(ProjectRetired.self) { body, _ in Fact("project/\(body.project)", "retired") },
        on(RunQueued.self) { body, _ in .begun("run/\(body.run)", "queued") },
        on(RunCancelBegun.self) { body, _ in Fact("run/\(body.run)", "canceling") },
        on(RunStarted.self) { body, _ in Fact("run/\(body.run)", "started") },
        on(RunFinished.self) { body, _ in .over("run/\(body.run)", "finished") },
        on(JobStarted.self) { body, _ in Fact("run/\(body.run)", "job/\(body.job)/started") },
        on(JobFinished.self) { body, _ in Fact("run/\(body.run)", "job/\(body.job)/finished") },
        on(StepStarted.self) { body, _ in Fact("run/\(body.run)", "step/\(body.job)/\(body.step)/started") },
        on(StepFinished.self) { body, _ in
            Fact("run/\(body.run)", "step/\(body.job)/\(body.step)/\(body.attempt)/finished")
        },
        on(StepCancelRequested.self) { body, _ in Fact("run/\(body.run)", "cancel/\(body.item)") },
        on(ApprovalRequested.self) { body, _ in Fact("run/\(body.run)", "approval/\(body.approval)/requested") },
        on(ApprovalGiven.self) { body, _ in
            Fact("run/\(body.run)", "approval/\(body.approval)/given/\(body.given)")
        },
        on(ApprovalFinished.self) { body, _ in Fact("run/\(body.run)", "approval/\(body.approval)/finished") },
        // Told for as long as the deployment that it speaks against: the run itself may be over.
        on(ApprovalRevoked.self) { body, _ in
            Fact("run/\(body.run)", "approval/\(body.approval)/revoked", days: 365)
        },
    ]

    // MARK: - trainer-proxy: what may still be registered, and where it runs

    private static let computing: [FactRule] = [
        on(TrainingFinished.self) { body, _ in .over("training/\(body.trainingRun)", "finished") },
        on(EnvironmentBuilt.self) { body, _ in .over("environment/\(body.run)", "made") },
        on(EnvironmentReused.self) { body, _ in .over("environment/\(body.run)", "made") },
        on(EnvironmentRegistered.self) { body, _ in
            Fact("environment/\(body.project)/\(body.environment.name)", "version/\(body.environment.version)")
        },
        on(DatasetRegistered.self) { body, _ in
            Fact("dataset/\(body.project)/\(body.dataset.name)", "version/\(body.dataset.version ?? 0)")
        },
    ]

    // MARK: - registry-service: every version, its tags, and the whole history of its stages

    private static let models: [FactRule] = [
        on(ModelRegistered.self) { body, _ in Fact("version/\(body.model)/\(body.version)", "registered") },
        // A change of tags only replaces one of the same tags: the last word on each tag is never lost.
        on(ModelTagged.self) { body, _ in
            // As JSON: a tag may hold any character.
            let tags = (try? Wire.encode(Set(body.set.keys).union(body.removed).sorted())) ?? Data()
            return Fact("version/\(body.model)/\(body.version)", "tags/" + String(decoding: tags, as: UTF8.self))
        },
        on(ModelStageChanged.self) { body, envelope in
            Fact("version/\(body.model)/\(body.version)", "stage/\(envelope.id)")
        },
        on(ModelVersionUpdated.self) { body, _ in Fact("version/\(body.model)/\(body.version)", "description") },
        on(ModelVersionDeleted.self) { body, _ in Fact("version/\(body.model)/\(body.version)", "deleted") },
        on(ModelCreated.self) { body, _ in Fact("registered/\(body.model)", "created") },
        on(ModelUpdated.self) { body, _ in
            let tags = (try? Wire.encode(Set(body.set.keys).union(body.removed).sorted())) ?? Data()
            return Fact(
                "registered/\(body.model)",
                body.description == nil ? "tags/" + String(decoding: tags, as: UTF8.self) : "description")
        },
        on(ModelRenamed.self) { body, _ in Fact("registered/\(body.model)", "name") },
        on(ModelDeleted.self) { body, _ in Fact("registered/\(body.model)", "deleted") },
        on(ModelAliasChanged.self) { body, _ in Fact("registered/\(body.model)", "alias/\(body.alias)") },
    ]

    // MARK: - deployer: endpoints, and deployments for a year

    private static let deployments: [FactRule] = [
        on(DeploymentStarted.self) { body, _ in
            Fact("deployment/\(body.deployment)", "started", replacesEntity: true, days: 365)
        },
        on(DeploymentFinished.self) { body, _ in Fact("deployment/\(body.deployment)", "finished", days: 365) },
        on(DeploymentRolledBack.self) { body, _ in Fact("deployment/\(body.deployment)", "rolled back", days: 365) },
        on(SmokeTestFinished.self) { body, _ in Fact("deployment/\(body.deployment)", "smoke test", days: 365) },
        on(DeploymentDrifted.self) { body, _ in .begun("drift/\(body.endpoint)", "drifted") },
        on(DeploymentSettled.self) { body, _ in .over("drift/\(body.endpoint)", "settled") },
        on(EndpointChanged.self) { body, _ in Fact("endpoint/\(body.endpoint)", "serves") },
    ]

    // MARK: - everybody: dead letters and halts that wait for an operator, and who may come in

    private static let suite: [FactRule] = [
        on(DeadLetterCreated.self) { body, _ in .begun("deadletter/\(body.letter)", "created") },
        on(DeadLetterClosed.self) { body, _ in .over("deadletter/\(body.letter)", "closed") },
        on(ForkDetected.self) { body, _ in .begun("halt/\(body.service)/\(body.source)", "detected") },
        on(ForkReleased.self) { body, _ in .over("halt/\(body.service)/\(body.source)", "released") },
        on(TokenCreated.self) { body, _ in .begun("token/\(body.token)", "created") },
        // For ever: whoever was away for long must not go on letting it in.
        on(TokenRevoked.self) { body, _ in .begun("token/\(body.token)", "revoked") },
    ]
}
