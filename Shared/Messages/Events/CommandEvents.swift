import Foundation

/// A person asks for a run.
public struct RunRequested: EventBody {
    public static let name = "command.run_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks for a run."

    public var project: String
    public var pipeline: String
    /// The repository's default branch where it is not given.
    public var branch: String?
    public var sha: String?
    public var parameters: [String: JSONValue]
    /// The e-mail address of the person's token.
    public var email: String?

    public init(
        project: String, pipeline: String, branch: String? = nil, sha: String? = nil,
        parameters: [String: JSONValue], email: String? = nil
    ) {
        self.project = project
        self.pipeline = pipeline
        self.branch = branch
        self.sha = sha
        self.parameters = parameters
        self.email = email
    }
}

/// A person asks to cancel a run.
public struct RunCancelRequested: EventBody {
    public static let name = "command.run_cancel_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks to cancel a run."

    public var run: String
    public var reason: String?

    public init(run: String, reason: String? = nil) {
        self.run = run
        self.reason = reason
    }
}

/// A person asks to run again what failed.
public struct RunRetryRequested: EventBody {
    public static let name = "command.run_retry_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks to run again what failed."

    public var run: String
    /// Also what succeeded.
    public var all: Bool

    public init(run: String, all: Bool) {
        self.run = run
        self.all = all
    }
}

/// A person asks to take an event once more as a cause.
public struct ReplayRequested: EventBody {
    public static let name = "command.replay_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks to take an event once more as a cause; `replayof` names it as well."

    /// The event's id.
    public var event: String
    /// The e-mail address of the person's token.
    public var email: String?

    public init(event: String, email: String? = nil) {
        self.event = event
        self.email = email
    }
}

/// A person asks to watch a repository.
public struct RepositoryAddRequested: EventBody {
    public static let name = "command.repository_add_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks to watch a repository."

    public var repository: String
    /// A path or URL without credentials.
    public var url: String
    public var pollSeconds: Double?
    public var branches: [String]?
    /// The only forge whose webhooks count for it: `github`, `gitlab`, `gitea`, `azure-devops`.
    public var forge: String?
    /// Under which its forge names it, where it is read from elsewhere.
    public var forgeURL: String?
    /// The name of the secret that proves its webhooks.
    public var webhookSecret: String?
    /// Pull requests of forks start nothing, as they do where nothing is said of a repository that is new.
    public var ignoreForks: Bool?

    public init(
        repository: String, url: String, pollSeconds: Double? = nil, branches: [String]? = nil, forge: String? = nil,
        forgeURL: String? = nil, webhookSecret: String? = nil, ignoreForks: Bool? = nil
    ) {
        self.repository = repository
        self.url = url
        self.pollSeconds = pollSeconds
        self.branches = branches
        self.forge = forge
        self.forgeURL = forgeURL
        self.webhookSecret = webhookSecret
        self.ignoreForks = ignoreForks
    }
}

/// A person asks to stop watching a repository.
public struct RepositoryRemoveRequested: EventBody {
    public static let name = "command.repository_remove_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks to stop watching a repository."

    public var repository: String

    public init(repository: String) {
        self.repository = repository
    }
}

/// A person approves or rejects.
public struct ApprovalAnswered: EventBody {
    public static let name = "command.approval_answered"
    public static let source: Source? = .console
    public static let summary = "A person approves or rejects."

    public var approval: String
    public var approve: Bool
    public var comment: String?
    /// The groups of the person's token.
    public var groups: [String]
    /// The e-mail address of the person's token.
    public var email: String?
    /// What the person was shown: where it is given and the approval is about another one, the answer is refused.
    public var version: String?
    /// The digest of the decision that the person was shown, likewise.
    public var decision: String?

    public init(
        approval: String, approve: Bool, comment: String? = nil, groups: [String], email: String? = nil,
        version: String? = nil, decision: String? = nil
    ) {
        self.approval = approval
        self.approve = approve
        self.comment = comment
        self.groups = groups
        self.email = email
        self.version = version
        self.decision = decision
    }
}

/// A person takes back what was agreed.
public struct ApprovalRevokeRequested: EventBody {
    public static let name = "command.approval_revoke_requested"
    public static let source: Source? = .console
    public static let summary = "A person takes back what was agreed."

    public var approval: String
    public var comment: String?
    /// The groups of the person's token.
    public var groups: [String]
    /// The e-mail address of the person's token.
    public var email: String?

    public init(approval: String, comment: String? = nil, groups: [String], email: String? = nil) {
        self.approval = approval
        self.comment = comment
        self.groups = groups
        self.email = email
    }
}

/// A person asks for another stage.
public struct TransitionRequested: EventBody {
    public static let name = "command.transition_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks for another stage."

    public var model: String
    /// A number or a selector.
    public var version: String
    public var to: String
    /// The stage that it must have now.
    public var expect: String?
    public var reason: String?
    /// The groups of the person's token.
    public var groups: [String]
    /// The version that must hold the wanted stage now; `none` for nobody.
    public var expectHolder: String?

    public init(
        model: String, version: String, to: String, expect: String? = nil, reason: String? = nil,
        groups: [String], expectHolder: String? = nil
    ) {
        self.model = model
        self.version = version
        self.to = to
        self.expect = expect
        self.reason = reason
        self.groups = groups
        self.expectHolder = expectHolder
    }
}

/// A person asks to let a challenger pass although it lost.
public struct BypassRequested: EventBody {
    public static let name = "command.bypass_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks to let a challenger pass although it lost."

    public var run: String
    /// `<job>/<step>`; the only gate that was lost where it is not given.
    public var step: String?
    public var reason: String

    public init(run: String, step: String? = nil, reason: String) {
        self.run = run
        self.step = step
        self.reason = reason
    }
}

/// A person asks whether a model's stage history is as it was written.
public struct HistoryCheckRequested: EventBody {
    public static let name = "command.history_check_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks whether a model's stage history is as it was written."

    public var model: String

    public init(model: String) { self.model = model }
}

/// A person asks for the version before.
public struct RollbackRequested: EventBody {
    public static let name = "command.rollback_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks for the version before."

    public var endpoint: String
    public var reason: String?

    public init(endpoint: String, reason: String? = nil) {
        self.endpoint = endpoint
        self.reason = reason
    }
}

/// An operator retries or drops a dead letter.
public struct DeadLetterAnswered: EventBody {
    public static let name = "command.deadletter_answered"
    public static let source: Source? = .console
    public static let summary = "An operator retries or drops a dead letter."

    public var letter: String
    public var service: String
    /// `false`: drop.
    public var retry: Bool

    public init(letter: String, service: String, retry: Bool) {
        self.letter = letter
        self.service = service
        self.retry = retry
    }
}

/// An operator lets a service go on with a log that forked.
public struct LogReleaseRequested: EventBody {
    public static let name = "command.log_release_requested"
    public static let source: Source? = .console
    public static let summary = "An operator lets a service go on with a log that forked."

    public var service: String
    /// The log.
    public var source: String

    public init(service: String, source: String) {
        self.service = service
        self.source = source
    }
}

/// An operator says that a service's database was restored.
public struct LogEpochRequested: EventBody {
    public static let name = "command.log_epoch_requested"
    public static let source: Source? = .console
    public static let summary = "An operator says that a service's database was restored: its logs begin a new epoch."

    public var service: String
    public var reason: String?

    public init(service: String, reason: String? = nil) {
        self.service = service
        self.reason = reason
    }
}

/// A person asks for a test message.
public struct NotificationTestRequested: EventBody {
    public static let name = "command.notification_test_requested"
    public static let source: Source? = .console
    public static let summary = "A person asks for a test message."

    public var project: String

    public init(project: String) {
        self.project = project
    }
}
