import Foundation
import HTTPClient
import ServiceKit

/// The deployer's pieces, wired once: tests build the same.
struct DeployerParts: Sendable {
    let context: ServiceContext
    let settings: Settings
    let client: HTTPClient
    let bell: Bell
    let addresses: EndpointAddresses
    let rollouts: Rollouts
    let routes: RouteTable
    let workspace: Workspace
    let processes: ServingProcess

    /// The names that the gateway answers under.
    let hosts: HostRule

    /// - Parameters:
    ///   - host: the name or address that the gateway listens on, as configured.
    ///   - home: where the other replicas reach this one's gateway; `nil` where all share one machine.
    ///   - listening: where the gateway can be reached from here; `nil` while it does not listen.
    init(
        context: ServiceContext, settings: Settings, host: String = "127.0.0.1",
        home: @escaping @Sendable () -> String? = { nil }, listening: @escaping @Sendable () -> String?
    ) {
        self.home = home
        hosts = HostRule(further: [host] + settings.hosts + [settings.publicHost].compactMap { $0 })
        self.context = context
        self.settings = settings
        client = HTTPClient()
        bell = Bell()
        gateway = listening
        addresses = EndpointAddresses(root: { [publicURL = settings.publicURL] in publicURL ?? listening() ?? "" })
        rollouts = Rollouts(
            addresses: addresses, bell: bell, drift: DriftWatch(grace: .seconds(settings.driftSeconds)))
        routes = RouteTable(store: context.store)
        workspace = Workspace(artifacts: context.artifacts, paths: context.paths)
        processes = ServingProcess(context: context, workspace: workspace, home: home)
    }

    let gateway: @Sendable () -> String?
    let home: @Sendable () -> String?
}
