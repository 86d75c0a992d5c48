import Messages

extension Installation {
    /// The value as JSON where that was asked for, else the text.
    func print(_ value: JSONValue, _ text: @autoclosure () throws -> String) throws {
        if json { try Terminal.show(value) } else { Swift.print(try text().printable) }
    }

    /// Carries a command out to its answer and says what came of it.
    func carryOut(_ accepted: JSONValue, _ api: APIClient, done: String) async throws {
        let command = try await api.command(accepted)
        let isWaiting = command["state"]?.string == "waiting"
        let waiting = "accepted as \(command.text("id")); it is stored and will be done when its service is back"
        let reason = command["reason"]?.string.map { ": \($0)" } ?? ""
        try print(command, isWaiting ? waiting : done + reason)
    }
}
