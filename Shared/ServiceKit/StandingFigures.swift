import Bus
import EventLog
import Messages
import Store

/// How a service stands at the moment: its logs, what it follows, what waits.
struct StandingFigures: Sendable {
    let store: StateStore
    let owned: [Source]
    let publisher: Publisher
    let subscriber: Subscriber

    func add(to metrics: MetricsRegistry) async {
        let sent = publisher.sent
        for log in owned {
            // Only the leader publishes; another replica knows nothing of it.
            guard let mark = sent[log], let last = try? await store.head(of: log).last else { continue }
            metrics.set(
                "martlet_outbox_events", "Events that are on disk and not on the bus yet, by log.",
                labels: [("log", log.name)], to: Double(max(0, last - mark)))
        }
        metrics.replace(
            "martlet_log_lag_events", "Events of a followed log that are known of and not applied, by its source.",
            with: subscriber.lags.map { ([("source", $0.key.name)], Double($0.value)) })
        if let waiting = try? await store.waiting() {
            metrics.set(
                "martlet_parked_events", "Events that wait to be handled again, and those behind them.",
                to: Double(waiting.parked))
            metrics.set("martlet_dead_letters", "Events that were given up.", to: Double(waiting.dead))
            metrics.replace(
                "martlet_intents", "Effects that are to be carried out, by kind.",
                with: waiting.intents.map { ([("kind", $0.key)], Double($0.value)) })
        }
        // Another replica does not hear when the log is begun anew: what it knew last would stand there for ever.
        if store.tendsLog {
            metrics.set(
                "martlet_wal_bytes", "How far the database's write-ahead log is filled.", to: Double(store.walBytes))
        }
        metrics.set(
            "martlet_store_trouble", "1 while nothing can be written to the database.", to: store.trouble == nil ? 0 : 1
        )
    }
}
