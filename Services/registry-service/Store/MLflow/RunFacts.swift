import GRDB
import Messages

extension RunFacts {
    /// `nil`: there is no such run.
    static func of(_ uuid: String, _ db: Database) throws -> RunFacts? {
        guard let row = try db.row("SELECT id, training_run FROM run WHERE uuid = ?", [uuid]) else { return nil }
        let id: Int64 = row["id"]
        let metrics = try db.rows("SELECT key, value, is_nan FROM latest_metric WHERE run = ?", [id])
        let parameters = try db.rows("SELECT key, value FROM parameter WHERE run = ?", [id])
        var noted: [String: String] = [:]
        for tag in NotedCommit.tags {
            noted[tag] = try db.value("SELECT value FROM run_tag WHERE run = ? AND key = ?", [id, tag])
        }
        return RunFacts(
            trainingRun: row["training_run"],
            metrics: Dictionary(
                metrics.map { ($0["key"], $0["is_nan"] ? "NaN" : .double($0["value"])) }, uniquingKeysWith: { $1 }),
            parameters: Dictionary(parameters.map { ($0["key"], $0["value"]) }, uniquingKeysWith: { $1 }),
            git: NotedCommit.read(noted))
    }
}
