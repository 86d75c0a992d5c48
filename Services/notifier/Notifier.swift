import ArgumentParser
import HTTPClient
import Messages
import ServiceKit

/// What the program `notifier` does.
package struct NotifierCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "notifier", abstract: "Tells people what happened, as their project files ask.")

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func run() async throws {
        let settings = try Settings()
        try await Service.run(.notifier, options: options, migrate: NotifierStore.migrate) { context in
            let announcements = Announcements(consoleURL: { settings.consoleURL(context.paths) })
            let delivering = Delivering(
                store: context.store,
                slack: SlackWebhook(client: HTTPClient(), secret: { try context.secrets.value(of: $0) }),
                files: NotificationFiles(root: context.paths.notifications))
            return ServiceParts(
                subscriptions: [.triggerService, .trainerProxy, .evaluator, .registryService, .deployer, .ingest],
                handle: announcements.handle,
                effects: [Delivering.kind: delivering.carryOut],
                verbs: [NotifyStep.verb], onFork: .goOn,
                forget: { transaction in
                    try transaction.forgetOldDeliveries()
                    try transaction.forgetOldPlaces()
                })
        }
    }
}
