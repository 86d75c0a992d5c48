import Messages
import ServiceKit
import Store

/// What the dispatcher tells of in passing.
enum DispatchNews: Sendable, Hashable {
    /// A worker took a step, so long after it was offered.
    case taken(verb: String, after: Duration)
    /// Whether a pipeline starts from a cause: `matched`, or the code of the reason why not.
    case judged(code: String)
}

/// Figures of the trigger-service, for `/metrics`.
struct TriggerFigures: Sendable {
    let metrics: MetricsRegistry
    let store: StateStore
    let clock: WallClock

    func note(_ news: DispatchNews) {
        switch news {
        case .taken(let verb, let time):
            metrics.observe(
                "martlet_step_queue_duration_seconds",
                "How long steps were offered before a worker took them, by verb.",
                labels: [("verb", verb)], time, buckets: Histogram.steps)
        case .judged(let code):
            metrics.count(
                "martlet_trigger_verdicts_total", "Pipelines judged against causes, by verdict.",
                labels: [("verdict", code)])
        }
    }

    /// What waits at this moment: a step that nobody takes shows in no histogram.
    func look() async {
        guard let waiting = try? await store.read({ try SessionQueries.waiting(in: $0) }) else { return }
        let oldest = waiting.since.map { Double(max(0, clock.now().milliseconds - $0)) / 1000 } ?? 0
        metrics.set("martlet_steps_offered", "Steps that wait for a worker.", to: Double(waiting.count))
        metrics.set(
            "martlet_steps_offered_oldest_seconds", "How long the longest of them has waited.", to: oldest)
    }
}
