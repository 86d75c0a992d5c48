import ArgumentParser
import Messages
import ServiceKit

/// What the program `registry-service` does.
package struct RegistryCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "registry-service",
        abstract: "Knows the truth about models: versions, their facts, tags and stages, and who changed what.")

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func run() async throws {
        let settings = try Settings()
        try await Service.run(.registryService, options: options, migrate: RegistryStore.migrate) { context in
            let admission = Admission(store: context.store, settings: settings)
            let webhooks = WebhookSending(
                store: context.store,
                secrets: WebhookSecrets(path: context.paths.service(.registryService) + "/webhooks.key"),
                reach: settings.webhooks)
            let memory = CreateMemory(
                try AnsweringReplica(in: context.paths.service(.registryService) + "/answering"))
            let door = MLflowDoor(
                store: context.store, artifacts: context.artifacts, logger: context.logger, webhooks: webhooks,
                admit: { request, need in try await admission.admit(request, need) },
                mostArtifactBytes: settings.mostArtifactBytes,
                memory: memory)
            return ServiceParts(
                subscriptions: [.triggerService, .trainerProxy, .evaluator, .deployer, .console],
                handle: { event, tx in try RegistryEvents.handle(event, in: tx) },
                effects: [WebhookDelivery.kind: webhooks.carryOut],
                verbs: [RegisterStep.verb, ResolveStep.verb, TagStep.verb, TransitionStep.verb],
                routes: { router in door.add(to: router) },
                door: DoorLimits(body: Int(settings.mostArtifactBytes)), asksForTokens: true,
                background: [Loop { try await memory.keepForgetting(in: context.store) }],
                ended: { try? await memory.forgetDelivered(in: context.store) })
        }
    }
}
