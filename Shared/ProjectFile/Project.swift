import Messages

/// What a repository's project file says, checked: every reference in it resolves.
package struct Project: Sendable, Hashable {
    package var name: String
    /// The first is the one that `model.` means in expressions; a project without `model:` has one of its own name.
    package var models: [Model]
    /// In the order of the file: a variable may use those above it.
    package var variables: [Variable]
    /// `.env` files of the repository that add variables, the later over the earlier (S4-8).
    package var variableFiles: [Template]
    /// What was in them, by path.
    package var variableTexts: [String: [String: JSONValue]]
    /// Sets of variables that an operator keeps.
    package var variableGroups: [String]
    /// What those hold; whoever starts a run puts it here.
    package var groupValues: [String: JSONValue] = [:]
    /// What an operator says over everything.
    package var overridingValues: [String: JSONValue] = [:]
    package var environments: [String: Environment]
    /// `local` is always among them.
    package var backends: [String: Backend]
    package var targets: [String: Target]
    package var notifications: [Notification]
    package var pipelines: [Pipeline]
    /// The names under `secrets:`; empty where the file does not list them.
    package var secrets: Set<String>
    /// Of the texts it was read from: `sha256:…`.
    package var digest: String
    /// What it says and nothing comes of, in the order of the files.
    package var warnings: [FileError] = []

    package func pipeline(_ name: String) -> Pipeline? { pipelines.first { $0.name == name } }
}

package struct Variable: Sendable, Hashable {
    package var name: String
    package var value: Template
}

package struct Model: Sendable, Hashable {
    package var name: Template
    package var description: String?
    /// The selector of the version to beat.
    package var champion: Template?
    package var stages: StageMachine
    /// What must be known of every version.
    package var requires: [VersionFact] = []
    /// The command that scores a version on a data set.
    package var score: String?
}

/// Where a job acts, and who has to agree before it does.
package struct Environment: Sendable, Hashable {
    package var name: String
    package var approvals: Approvals?
    /// `nil`: it is. Jobs of a disabled one are passed over, and those that need them go on.
    package var enabled: Template?

    package func isEnabled(in scope: Scope) throws(EvaluationError) -> Bool {
        guard let enabled else { return true }
        let value = try enabled.evaluate(in: scope)
        // A variable of an .env file is text.
        return value.isTrue && value != "false"
    }
}

package struct Approvals: Sendable, Hashable {
    package enum Timeout: String, Sendable, Hashable, CaseIterable {
        case reject, approve
    }

    package var required = 0
    /// `user:x`, `group:y`, `key:z` (a client of the bus that answers by an event); empty: any person who may approve.
    package var from: [String] = []
    package var requesterMayApprove = false
    package var timeout: Duration = .seconds(30 * 86_400)
    package var onTimeout: Timeout = .reject
}

/// What carries out training: `local` or an engine that the team has.
package struct Backend: Sendable, Hashable {
    package var name: String
    package var kind: String
    /// `callback` or `poll`.
    package var wait: String
    package var settings: Template
}

/// Where models are served.
package struct Target: Sendable, Hashable {
    package var name: String
    package var kind: String
    package var settings: Template
}

/// One entry of `notify:`.
package struct Notification: Sendable, Hashable {
    package var when: [String]
    package var use: String
    package var channel: Template?
    package var pipelines: [String]
}

/// Everything that is wrong with a project's files, in the order of the files.
package struct ProjectErrors: Error, Sendable, Hashable, CustomStringConvertible {
    package var errors: [FileError]

    package var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// One file as it was in the commit.
package struct ProjectDocument: Sendable, Hashable {
    /// From the repository's root, for example `martlet.yml`.
    package var path: String
    package var text: String

    package init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}
