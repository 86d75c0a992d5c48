import Messages

/// Shows the events of a run as they come, until it has ended.
struct RunWatch {
    var api: APIClient
    /// The chain that the run belongs to.
    var correlation: String
    var isQuiet: Bool

    /// - Returns: the run as it ended.
    func follow(_ run: String) async throws -> JSONValue {
        var after: String?
        while true {
            let page = try await api.get(
                "/events", [("correlation", correlation), ("after", after), ("limit", "200"), ("wait", "10")])
            after = page["next"]?.string ?? after
            for item in page.items {
                guard let value = item["event"], let event = try? Wire.decode(Envelope.self, from: Wire.encode(value))
                else {
                    continue
                }
                // Progress is no answer: it stays out of what a pipe reads.
                if !isQuiet { Terminal.complain(EventLine.text(event)) }
                if event.type == RunFinished.eventType, event.data["run"]?.string == run {
                    return try await api.get("/runs/\(run)")
                }
            }
        }
    }
}
