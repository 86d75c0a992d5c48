import GRDB
import Hummingbird
import Messages
import Store

extension MLflowDoor {
    func addMetrics(_ routes: MLflowRoutes) {
        routes.post("/runs/log-metric", .writing) { call in
            let (measurement, caller) = (try MLflowCall.measurement(.object(call.fields)), call.caller)
            return try await change(call, making: true) { tx, row in
                try tx.log(caller.told(measurement, tx.db), ofRun: row["id"], uuid: row["uuid"])
                return Self.done
            }
        }
        routes.post("/runs/log-batch", .writing) { call in
            guard call.body.count <= Limits.batch else {
                throw MLflowError.invalid(
                    "Batched logging API requests must be at most \(Limits.batch) bytes, got a request of size "
                        + "\(call.body.count).")
            }
            let items = try call.list("metrics")
            guard items.count <= Limits.metricsInBatch else {
                throw MLflowError.invalid(
                    "A batch logging request can contain at most \(Limits.metricsInBatch) metrics. Got "
                        + "\(items.count) metrics. Please split up metrics across multiple requests and try again.")
            }
            let measurements = try items.map { try MLflowCall.measurement($0) }
            let parameters = try call.pairs("params", most: Limits.parametersInBatch).map(Self.parameter)
            let tags = try call.pairs("tags", most: Limits.tagsInBatch).map(Self.tag)
            let count = measurements.count + parameters.count + tags.count
            guard count <= Limits.entitiesInBatch else {
                throw MLflowError.invalid(
                    "A batch logging request can contain at most \(Limits.entitiesInBatch) params, tags, and metrics "
                        + "together. Got \(count).")
            }
            let namesModels = tags.contains { $0.key == RunQueries.modelTag }
            let (making, caller) = (!measurements.isEmpty || !parameters.isEmpty || namesModels, call.caller)
            return try await change(call, making: making) { tx, row in
                for parameter in parameters { try tx.log(parameter, ofRun: row) }
                for measurement in measurements {
                    try tx.log(caller.told(measurement, tx.db), ofRun: row["id"], uuid: row["uuid"])
                }
                for tag in tags { try tx.setTag(tag, ofRun: row["id"]) }
                return Self.done
            }
        }
        routes.get("/metrics/get-history", .reading) { call in
            let (id, key) = (try call.run(), try call.required("metric_key"))
            let page = try call.page()
            let limit = try call.limit(default: Limits.mostMetrics, most: Limits.mostMetrics)
            return try await read { db in
                let run = try RunQueries.row(id, db)
                let found = try MetricQueries.history(of: key, run: run["id"], page: page, limit: limit, db)
                return Self.page("metrics", found.items, found.next)
            }
        }
        routes.get("/metrics/get-history-bulk-interval", .reading) { call in
            let (ids, key) = (try call.texts("run_ids"), try call.required("metric_key"))
            guard !ids.isEmpty, ids.count <= 100 else {
                throw MLflowError.invalid("GetMetricHistoryBulkInterval takes 1 to 100 run_ids; got \(ids.count)")
            }
            let first = try call.number("start_step") ?? .min
            let last = try call.number("end_step") ?? .max
            guard first <= last else {
                throw MLflowError.invalid("end_step must be greater than start_step. Found start_step=\(first).")
            }
            let limit = try call.limit(default: 320, most: 2500)
            return try await read { db in
                let metrics = try ids.flatMap { id in
                    try MetricQueries.sampled(
                        of: key, run: RunQueries.row(id, db)["id"], uuid: id, steps: first...last, limit: limit, db)
                }
                return Self.page("metrics", metrics, .start)
            }
        }
    }
}
