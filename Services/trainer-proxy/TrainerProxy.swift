import ArgumentParser
import Messages
import ServiceKit

/// What the program `trainer-proxy` does.
package struct TrainerProxyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "trainer-proxy",
        abstract: "Runs steps: scripts, training, Python environments, artifacts.")

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func run() async throws {
        let settings = try Settings()
        try await Service.run(.trainerProxy, options: options, migrate: TrainerStore.migrate) { context in
            let backend = try LocalBackend(context: context, settings: settings)
            let cleanUp = CleanUp(context: context, settings: settings, copies: backend.copies)
            return ServiceParts(
                subscriptions: [.triggerService, .registryService], handle: cleanUp.handle, effects: cleanUp.effects,
                verbs: backend.verbs, slots: settings.slots)
        }
    }
}
