import ServiceKit
import Testing

@testable import Console

struct BackupFigureTests {
    private func told(_ status: BackupStatus?, to metrics: MetricsRegistry) async -> [String] {
        BackupFigures.add(status, to: metrics)
        return await metrics.render().split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    @Test func `the newest backup, how often one is wanted, and whether they fail`() async {
        let metrics = MetricsRegistry()
        #expect(await told(nil, to: metrics).isEmpty)
        var status = BackupStatus(folder: "/backups", everySeconds: 3600)
        status.failure = "2026-01-31T12:00:00.000Z: no room"
        let first = await told(status, to: metrics)
        #expect(first == ["martlet_backup_failing 1.0", "martlet_backup_interval_seconds 3600.0"])
        (status.last, status.failure) = ("2026-01-31T12:00:00.000Z", nil)
        let second = await told(status, to: metrics)
        #expect(
            second == [
                "martlet_backup_failing 0.0", "martlet_backup_interval_seconds 3600.0",
                "martlet_backup_last_success_timestamp_seconds 1769860800.0",
            ])
        #expect(await told(nil, to: metrics).isEmpty, "the schedule has ended")
    }
}
