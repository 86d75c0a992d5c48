import ArgumentParser
import Messages
import ServiceKit

/// What the program `evaluator` does.
package struct EvaluatorCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "evaluator",
        abstract: "Judges models: champion against challenger by declared rules, and test suites by their reports.")

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func run() async throws {
        try await Service.run(.evaluator, options: options, migrate: EvaluatorStore.migrate) { _ in
            ServiceParts(
                subscriptions: [.triggerService, .trainerProxy, .registryService, .deployer, .console],
                handle: { event, tx in try EvaluatorEvents.handle(event, in: tx) },
                effects: [TestStep.cleaning: TestStep.clean],
                verbs: [CompareStep.verb, AssertStep.verb, PinStep.verb, TestStep.verb])
        }
    }
}
