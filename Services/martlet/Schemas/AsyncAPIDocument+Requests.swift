import Messages

extension AsyncAPIDocument {
    func request(_ reference: RequestReference, _ schemas: inout [String: JSONValue]) throws -> Part {
        let name = reference.method
        schemas["\(name).params"] = try Self.schema(reference.params)
        schemas["\(name).reply"] = try Self.schema(reference.reply)
        let refusals = RequestReference.always.merging(reference.statuses) { $1 }
        let told = refusals.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "\n")
        let messages = [
            "\(name).request": message(
                "\(name).request", reference.summary, schema: "\(name).params", body: reference.requestBody,
                headers: ["deadline": ["type": "string", "pattern": "^[0-9]{1,9}$"]]),
            "\(name).reply": message(
                "\(name).reply", "It was done.", schema: "\(name).reply", body: reference.replyBody,
                headers: ["status": ["type": "string", "const": "200"]]),
            "\(name).refusal": message(
                "\(name).refusal", told, schema: reference.reply is FetchReply.Type ? nil : "Problem", body: nil,
                headers: [
                    "status": ["type": "string", "enum": .array(refusals.keys.sorted().map { .string("\($0)") })]
                ]),
        ]
        let names = messages.keys.sorted()
        func references(_ names: [String]) -> JSONValue {
            .array(names.map { Self.reference("#/channels/\(name)/messages/\($0)") })
        }
        return Part(
            name: name,
            channel: Self.channel(
                "\(reference.target)/\(name)", messages: names, servers: [Self.reference("#/servers/requests")]),
            operation: (
                "receive.\(name)",
                [
                    "action": "receive", "summary": .string(reference.summary),
                    "channel": Self.reference("#/channels/\(name)"), "messages": references(["\(name).request"]),
                    "reply": [
                        "channel": Self.reference("#/channels/\(name)"),
                        "messages": references(["\(name).refusal", "\(name).reply"]),
                    ],
                ]
            ),
            messages: messages)
    }

    private func message(
        _ name: String, _ summary: String, schema: String?, body: String?, headers: [String: JSONValue]
    ) -> JSONValue {
        var message: [String: JSONValue] = [
            "name": .string(name), "summary": .string(summary), "tags": [["name": "request"]],
            "headers": ["type": "object", "properties": .object(headers)],
            "payload": schema.map { Self.reference("#/components/schemas/\($0)") } ?? ["type": "object"],
            "correlationId": [
                "description": "The third frame, 16 bytes of the asker's choice.",
                "location": "$message.header#/correlation",
            ],
        ]
        if let body { message["x-body"] = .string(body) }
        if let example = examples[name] { message["examples"] = [["name": "real", "payload": example]] }
        return .object(message)
    }
}
