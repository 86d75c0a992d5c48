import Foundation
import Messages
import Store

/// A verb of `uses:` that a service answers.
package struct StepVerb: Sendable {
    package enum Way: Sendable {
        case transactional(@Sendable (StepWork, Transaction) throws -> StepResult)
        case lasting(@concurrent @Sendable (StepWork, StepTools) async throws -> StepEnding)
    }

    package let verbs: [String]
    package let way: Way

    /// Decides inside one transaction: state, events and result commit together.
    package static func transactional(
        _ verbs: [String], perform: @escaping @Sendable (StepWork, Transaction) throws -> StepResult
    ) -> StepVerb {
        StepVerb(verbs: verbs, way: .transactional(perform))
    }

    /// Takes long. It may be called again for the same item after a crash and must then go on where it was.
    /// Its task is cancelled when the step is to be canceled, never at shutdown.
    package static func lasting(
        _ verbs: [String], perform: @escaping @concurrent @Sendable (StepWork, StepTools) async throws -> StepEnding
    ) -> StepVerb {
        StepVerb(verbs: verbs, way: .lasting(perform))
    }
}

/// The result of a lasting step and the facts that are published with it.
package struct StepEnding: Sendable {
    package let result: StepResult
    package let commit: @Sendable (Transaction) throws -> Void

    package init(_ result: StepResult, commit: @escaping @Sendable (Transaction) throws -> Void = { _ in }) {
        self.result = result
        self.commit = commit
    }
}

/// Thrown by a verb: the step failed, and this is what people read.
package struct StepFailure: Error, CustomStringConvertible, Hashable {
    package let description: String
    package let outputs: JSONValue

    package init(_ message: String, outputs: JSONValue = .object([:])) {
        description = message
        self.outputs = outputs
    }
}

/// What a lasting step may use.
package struct StepTools: Sendable {
    package let context: ServiceContext
    private let save: @concurrent @Sendable (JSONValue) async throws -> Void

    package init(context: ServiceContext, save: @escaping @concurrent @Sendable (JSONValue) async throws -> Void) {
        self.context = context
        self.save = save
    }

    /// Leaves word with the grantor for whoever works this step next.
    package func checkpoint(_ value: JSONValue) async throws { try await save(value) }
}
