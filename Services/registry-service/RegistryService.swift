import ArgumentParser
import Messages
import ServiceKit

@main
struct RegistryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry-service",
        abstract: "Knows the truth about models: versions, their facts, tags and stages, and who changed what.")

    @OptionGroup var options: ServiceOptions

    func run() async throws {
        try await Service.run(.registryService, options: options, migrate: RegistryStore.migrate) { _ in
            ServiceParts(
                subscriptions: [.triggerService, .trainerProxy, .evaluator, .deployer, .console],
                handle: { event, tx in try RegistryEvents.handle(event, in: tx) },
                verbs: [RegisterStep.verb, ResolveStep.verb, TagStep.verb, TransitionStep.verb])
        }
    }
}
