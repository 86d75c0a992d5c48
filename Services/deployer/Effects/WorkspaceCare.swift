import Foundation
import Logging
import ServiceKit
import Store

/// Keeps the folders of deployments from growing for ever: some serve for months.
struct WorkspaceCare: Sendable {
    let context: ServiceContext
    let workspace: Workspace

    /// Returns when the service stops.
    func run() async {
        var minutes = 0
        while (try? await Task.sleep(for: .seconds(60))) != nil {
            trimLogs()
            minutes += 1
            if minutes % 60 == 0 { await removeForgotten() }
        }
    }

    func trimLogs() {
        for deployment in workspace.deployments { workspace.trimLog(deployment) }
    }

    /// The folders whose deployments are forgotten.
    func removeForgotten() async {
        // Before the rows are read: a deployment has its row before its folder.
        let folders = workspace.deployments
        do {
            let known = try await context.store.read { db in try RolloutQueries.ids(db) }
            for deployment in folders where !known.contains(deployment) { workspace.remove(deployment) }
        } catch {
            context.logger.warning("old deployments' folders could not be removed: \(error)")
        }
    }
}
