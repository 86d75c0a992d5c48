import GRDB
import Messages
import Store

/// One number that a run says of itself.
struct Measurement: Hashable, Sendable {
    var key: String
    /// Finite: infinity is the largest number, NaN is told by `isNaN`.
    var value: Double
    var isNaN: Bool
    /// Milliseconds, as the client says.
    var time: Int64
    var step: Int64
    var loggedModel: String?
    var datasetName: String?
    var datasetDigest: String?

    init(key: String, value: Double, time: Int64, step: Int64) {
        self.key = key
        isNaN = value.isNaN
        let limit = Double.greatestFiniteMagnitude
        self.value = value.isNaN ? 0 : min(max(value, -limit), limit)
        self.time = time
        self.step = step
    }
}

enum MetricQueries {
    /// A row of `key`, `value`, `is_nan`, `time`, `step`.
    static func json(_ row: Row, run: String? = nil) -> JSONValue {
        var metric: [String: JSONValue] = [
            "key": .string(row["key"]), "value": row["is_nan"] ? "NaN" : .double(row["value"]),
            "timestamp": .int(row["time"]), "step": .int(row["step"]),
        ]
        if let run { metric["run_id"] = .string(run) }
        return .object(metric)
    }

    /// In the order of their times.
    static func history(
        of key: String, run id: Int64, page: PageToken, limit: Int, _ db: Database
    ) throws -> (items: [JSONValue], next: PageToken) {
        var condition = ""
        var place: StatementArguments = []
        if case .after(let values) = page, values.count == 4, let time = values[0].int, let step = values[1].int,
            let value = values[2].double, let isNaN = values[3].int
        {
            condition = "AND (time, step, value, is_nan) > (?, ?, ?, ?)"
            place = [time, step, value, isNaN]
        }
        let rows = try db.rows(
            """
            SELECT key, time, step, value, is_nan FROM metric WHERE run = ? AND key = ? \(condition)
            ORDER BY time, step, value, is_nan LIMIT ?
            """, [id, key] + place + [limit + 1])
        var next = PageToken.start
        if rows.count > limit {
            let last = rows[limit - 1]
            next = .after([.int(last["time"]), .int(last["step"]), .double(last["value"]), .int(last["is_nan"])])
        }
        return (rows.prefix(limit).map { json($0) }, next)
    }

    /// At most `limit` measurements of each run, spread over its steps, first and last included.
    static func sampled(
        of key: String, run id: Int64, uuid: String, steps: ClosedRange<Int64>, limit: Int, _ db: Database
    ) throws -> [JSONValue] {
        let rows = try db.rows(
            """
            SELECT key, time, step, value, is_nan FROM metric WHERE run = ? AND key = ? AND step BETWEEN ? AND ?
            ORDER BY step, time LIMIT ?
            """, [id, key, steps.lowerBound, steps.upperBound, Limits.mostMetrics])
        guard rows.count > limit, limit > 1 else { return rows.map { json($0, run: uuid) } }
        return (0..<limit).map { json(rows[$0 * (rows.count - 1) / (limit - 1)], run: uuid) }
    }
}

extension Transaction {
    func log(_ measurement: Measurement, ofRun id: Int64, uuid: String) throws {
        let isNaN = measurement.isNaN ? 1 : 0
        try db.run(
            """
            INSERT INTO metric (run, key, time, step, value, is_nan, logged_model, dataset_name, dataset_digest)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            [
                id, measurement.key, measurement.time, measurement.step, measurement.value, isNaN,
                measurement.loggedModel, measurement.datasetName, measurement.datasetDigest,
            ])
        // The last one is that of the highest step, then of the latest time, then the largest.
        try db.run(
            """
            INSERT INTO latest_metric (run, key, time, step, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET time = excluded.time, step = excluded.step, value = excluded.value,
                is_nan = excluded.is_nan
            WHERE (excluded.step, excluded.time, excluded.value) > (step, time, value)
            """, [id, measurement.key, measurement.time, measurement.step, measurement.value, isNaN])
        guard let model = measurement.loggedModel, !model.isEmpty else { return }
        try db.run(
            """
            INSERT INTO logged_model_metric (model, run, key, dataset_name, dataset_digest, time, step, value, is_nan)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET time = excluded.time, step = excluded.step, value = excluded.value,
                is_nan = excluded.is_nan
            WHERE (excluded.step, excluded.time, excluded.value) > (step, time, value)
            """,
            [
                model, uuid, measurement.key, measurement.datasetName ?? "", measurement.datasetDigest ?? "",
                measurement.time, measurement.step, measurement.value, isNaN,
            ])
    }
}
