import ArgumentParser
import Messages

struct ModelsVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that stage histories are as they were written.",
        discussion: """
            The registry computes the chain of each history anew, and holds it to what its log said and to the console's copy.
            Also of models whose versions were all deleted. Exit code 1 where something was altered, with the first move that
            does not fit, and where the registry has not answered within ten seconds.

            Examples:
              martlet models verify
              martlet models verify churn
            """)

    @Argument(help: "The model's name; all where it is left out.")
    var model: String?

    @OptionGroup var installation: Installation

    func run() async throws {
        let api = try installation.api()
        var known = [model].compactMap(\.self)
        if known.isEmpty {
            known = try await api.all("/models", [("deleted", "true")], most: .max).items.map { $0.text("model") }
        }
        var results: [JSONValue] = []
        for name in known {
            let accepted = try await api.post(APIClient.path(["models", name, "verify"]), .object([:]))
            results.append(try await result(of: name, accepted, api))
        }
        let table = Table([
            ("MODEL", { $0.text("model") }), ("HISTORY", { $0.text("result") }), ("FOUND", { $0.text("found") }),
        ])
        try installation.print(
            ["items": .array(results)], table.render(results, empty: "no models; there is no history to check"))
        if results.contains(where: { $0["result"] != "intact" }) { throw ExitCode(1) }
    }

    private func result(of model: String, _ accepted: JSONValue, _ api: APIClient) async throws -> JSONValue {
        let command = try await api.get("/commands/\(APIClient.escape(accepted.text("command")))", [("wait", "10")])
        let words = ["accepted": "intact", "refused": "altered"]
        guard let word = words[command.text("state")] else {
            return [
                "model": .string(model), "result": "not known yet",
                "found": "the registry has not answered: see 'martlet status', and ask again",
            ]
        }
        return ["model": .string(model), "result": .string(word), "found": command["reason"] ?? .null]
    }
}
