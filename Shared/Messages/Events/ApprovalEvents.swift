import Foundation

/// A job waits for people to agree.
public struct ApprovalRequested: EventBody {
    public static let name = "approval.requested"
    public static let source: Source? = .triggerService
    public static let summary = "A job waits for people to agree."

    public var approval: String
    public var run: String
    public var job: String
    public var project: String
    public var pipeline: String
    public var environment: String
    public var required: Int
    /// `user:x`, `group:y`; empty: anybody who may approve.
    public var from: [String]
    public var requester: String
    /// Everybody else who set off one of the events that the run has waited for; the first 50. `nil`: nobody.
    public var otherRequesters: [String]?
    /// `false`: neither the requester nor one of the others may.
    public var requesterMayApprove: Bool
    public var model: String?
    public var version: String?
    /// Digest of the decision record it is about.
    public var decision: String?
    public var expires: Timestamp

    public init(
        approval: String, run: String, job: String, project: String, pipeline: String, environment: String,
        required: Int, from: [String], requester: String, otherRequesters: [String]? = nil,
        requesterMayApprove: Bool, model: String? = nil, version: String? = nil, decision: String? = nil,
        expires: Timestamp
    ) {
        self.approval = approval
        self.run = run
        self.job = job
        self.project = project
        self.pipeline = pipeline
        self.environment = environment
        self.required = required
        self.from = from
        self.requester = requester
        self.otherRequesters = otherRequesters
        self.requesterMayApprove = requesterMayApprove
        self.model = model
        self.version = version
        self.decision = decision
        self.expires = expires
    }

    /// All who set off the run.
    public var requesters: [String] { [requester] + (otherRequesters ?? []) }
}

/// One person agreed.
public struct ApprovalGiven: EventBody {
    public static let name = "approval.given"
    public static let source: Source? = .triggerService
    public static let summary = "One person agreed."

    public var approval: String
    public var run: String
    public var by: String
    /// The e-mail address of the person's token.
    public var email: String?
    public var comment: String?
    public var given: Int
    public var required: Int

    public init(
        approval: String, run: String, by: String, email: String? = nil, comment: String? = nil, given: Int,
        required: Int
    ) {
        self.approval = approval
        self.run = run
        self.by = by
        self.email = email
        self.comment = comment
        self.given = given
        self.required = required
    }
}

/// An approval was granted, rejected, timed out, or became void.
public struct ApprovalFinished: EventBody {
    public static let name = "approval.finished"
    public static let source: Source? = .triggerService
    public static let summary = "An approval was granted, rejected, timed out, or became void."

    public var approval: String
    public var run: String
    public var job: String
    public var environment: String
    public var result: ApprovalResult
    public var by: String?
    /// The e-mail address of the person's token.
    public var email: String?
    public var comment: String?
    public var version: String?
    public var decision: String?

    public init(
        approval: String, run: String, job: String, environment: String, result: ApprovalResult,
        by: String? = nil, email: String? = nil, comment: String? = nil, version: String? = nil,
        decision: String? = nil
    ) {
        self.approval = approval
        self.run = run
        self.job = job
        self.environment = environment
        self.result = result
        self.by = by
        self.email = email
        self.comment = comment
        self.version = version
        self.decision = decision
    }
}

/// A person took back what was agreed.
public struct ApprovalRevoked: EventBody {
    public static let name = "approval.revoked"
    public static let source: Source? = .triggerService
    public static let summary =
        "A person took back what was agreed: the job is stopped, or its deployment is proposed for a roll-back."

    public var approval: String
    public var run: String
    public var job: String
    public var environment: String
    public var by: String
    /// The e-mail address of the person's token.
    public var email: String?
    public var comment: String?
    /// Agreements that are left.
    public var given: Int
    public var required: Int
    /// It was not granted yet and goes on waiting for people; otherwise it is over.
    public var stillWaits: Bool
    /// The job was over before: nothing could be stopped any more.
    public var tooLate: Bool
    /// Endpoints to which the job had deployed: `martlet endpoints rollback` takes them back.
    public var rollback: [String]
    public var model: String?
    public var version: String?
    public var decision: String?

    public init(
        approval: String, run: String, job: String, environment: String, by: String, email: String? = nil,
        comment: String? = nil, given: Int, required: Int, stillWaits: Bool, tooLate: Bool, rollback: [String] = [],
        model: String? = nil, version: String? = nil, decision: String? = nil
    ) {
        self.approval = approval
        self.run = run
        self.job = job
        self.environment = environment
        self.by = by
        self.email = email
        self.comment = comment
        self.given = given
        self.required = required
        self.stillWaits = stillWaits
        self.tooLate = tooLate
        self.rollback = rollback
        self.model = model
        self.version = version
        self.decision = decision
    }
}
