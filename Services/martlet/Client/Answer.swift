import Messages

extension Installation {
    /// The value as JSON where that was asked for, else the text.
    func print(_ value: JSONValue, _ text: @autoclosure () throws -> String) throws {
        if json { try Terminal.show(value) } else { Swift.print(try text().printable) }
    }

    /// Asks for something to be done and says what came of it.
    ///
    /// - Parameters:
    ///   - path: the parts of the path, as people wrote them.
    ///   - body: what is `nil` is left to the console.
    func ask(_ path: String..., with body: [String: JSONValue?] = [:], done: String) async throws {
        let api = try api()
        let accepted = try await api.post(APIClient.path(path), .object(body.mapValues { $0 ?? .null }))
        try await carryOut(accepted, api, done: done)
    }

    func carryOut(_ accepted: JSONValue, _ api: APIClient, done: String) async throws {
        try await carryOut(accepted, api) { _ in done }
    }

    /// Carries a command out to its answer and says what came of it.
    func carryOut(_ accepted: JSONValue, _ api: APIClient, done: (JSONValue) -> String) async throws {
        let command = try await api.command(accepted)
        let isWaiting = command["state"]?.string == "waiting"
        let waiting = "accepted as \(command.text("id")); it is stored and will be done when its service is back"
        let reason = command["reason"]?.string.map { ": \($0)" } ?? ""
        try print(command, isWaiting ? waiting : done(command) + reason)
    }
}
