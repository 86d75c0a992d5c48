import Artifacts
import Bus
import Foundation
import Logging
import Messages
import Store

/// What a service is given to work with.
package struct ServiceContext: Sendable {
    package let source: Source
    package let store: StateStore
    package let bus: BusConnection
    package let artifacts: ArtifactStore
    package let secrets: Secrets
    package let paths: DataPaths
    package let logger: Logger
    package let clock: WallClock
    package let metrics: MetricsRegistry

    package init(
        source: Source, store: StateStore, bus: BusConnection, artifacts: ArtifactStore, secrets: Secrets,
        paths: DataPaths, logger: Logger, clock: WallClock = .system, metrics: MetricsRegistry = MetricsRegistry()
    ) {
        self.source = source
        self.store = store
        self.bus = bus
        self.artifacts = artifacts
        self.secrets = secrets
        self.paths = paths
        self.logger = logger
        self.clock = clock
        self.metrics = metrics
    }
}
