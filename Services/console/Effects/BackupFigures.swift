import Messages
import ServiceKit

/// How the scheduled backups are going, for an operator's Prometheus.
enum BackupFigures {
    /// - Parameter status: `nil` where none are scheduled; then nothing is told of them.
    static func add(_ status: BackupStatus?, to metrics: MetricsRegistry) {
        func tell(_ name: String, _ help: String, _ value: Double?) {
            var series: [(labels: [(String, String)], value: Double)] = []
            if let value { series.append((labels: [], value: value)) }
            metrics.replace(name, help, with: series)
        }
        let last = status?.last.flatMap(Timestamp.init).map { Double($0.milliseconds) / 1000 }
        tell(
            "martlet_backup_last_success_timestamp_seconds",
            "When the newest scheduled backup was taken, in seconds since unix epoch.", last)
        tell(
            "martlet_backup_interval_seconds", "How often a scheduled backup is to be taken.", status?.everySeconds)
        tell(
            "martlet_backup_failing", "1 while the newest try to take a scheduled backup came to nothing.",
            status.map { $0.failure == nil ? 0 : 1 })
    }
}
