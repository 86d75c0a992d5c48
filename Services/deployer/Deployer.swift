import ArgumentParser
import Foundation
import Messages
import ServiceKit
import ServiceLifecycle

/// What the program `deployer` does.
package struct DeployerCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "deployer",
        abstract:
            "Serves model versions: starts them, moves the endpoint's address to them, tests them, takes them back.")

    @OptionGroup var options: ServiceOptions

    package init() {}

    package func run() async throws {
        let settings = try Settings(ProcessInfo.processInfo.environment)
        try await Service.run(.deployer, options: options, migrate: DeployerStore.migrate) { context in
            let place = context.paths.address(.deployer)
            let neighbourly = NeighbourAddress(host: options.host)
            let parts = DeployerParts(
                context: context, settings: settings, host: options.host,
                home: { [port = options.port] in
                    neighbourly.url(port: port ?? 0 == 0 ? ServiceAddress.read(from: place)?.port : port)
                },
                listening: { ServiceAddress.read(from: place).map { "http://\($0.reachable):\($0.port)" } })
            return parts.serviceParts
        }
    }
}

extension DeployerParts {
    var serviceParts: ServiceParts {
        let events = DeployerEvents(rollouts: rollouts)
        let rollback = RollbackEffect(parts: self)
        return ServiceParts(
            subscriptions: [.triggerService, .registryService, .console],
            handle: { event, transaction in try events.handle(event, transaction) },
            effects: [
                RollbackEffect.kind: { intent in await rollback.carryOut(intent) },
                DriftWatch.kind: { [drift = rollouts.drift] intent in drift.carryOut(intent) },
            ],
            verbs: [
                DeployModelStep(parts: self).verb, SmokeTestStep(parts: self).verb, RollbackStep(parts: self).verb,
            ],
            routes: { router in GatewayRoutes(parts: self).add(to: router) },
            door: DoorLimits(body: settings.maxBody),
            background: [
                Loop { await Supervisor(parts: self).run() },
                Loop { await WorkspaceCare(context: context, workspace: workspace).run() },
            ],
            forget: { try $0.forgetOldDeployments() },
            onOthersCommit: {
                try? await routes.load()
                bell.ring()
            })
    }
}
