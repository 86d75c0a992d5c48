import Foundation

/// The same form as `Codable` gives it, without the way through Foundation's coders: every event passes here.
extension Envelope {
    init(members: [String: JSONValue]) throws {
        let fields = Fields(members: members)
        id = try fields.text("id")
        source = try fields.text("source")
        type = try fields.text("type")
        subject = try fields.text("subject")
        specversion = try fields.text("specversion")
        let time = try fields.text("time")
        guard let timestamp = Timestamp(time) else {
            throw fields.mistaken("time", "'\(time)' is not an RFC 3339 time")
        }
        self.time = timestamp
        datacontenttype = try fields.textIfPresent("datacontenttype")
        dataschema = try fields.textIfPresent("dataschema")
        partitionkey = try fields.text("partitionkey")
        correlationid = try fields.text("correlationid")
        causationid = try fields.textIfPresent("causationid")
        guard case .int(let depth)? = members["causationdepth"] else {
            throw fields.mistaken("causationdepth", "a whole number is expected")
        }
        causationdepth = depth
        traceparent = try fields.textIfPresent("traceparent")
        actor = try fields.text("actor")
        replayof = try fields.textIfPresent("replayof")
        guard let data = members["data"] else { throw fields.mistaken("data", "it is missing") }
        self.data = data
    }

    func write(to writer: inout JSONWriter) throws {
        writer.begin()
        writer.write("actor", actor)
        writer.write(name: "causationdepth")
        writer.write(causationdepth)
        writer.write("causationid", causationid)
        writer.write("correlationid", correlationid)
        writer.write(name: "data")
        try writer.write(data)
        writer.write("datacontenttype", datacontenttype)
        writer.write("dataschema", dataschema)
        writer.write("id", id)
        writer.write("partitionkey", partitionkey)
        writer.write("replayof", replayof)
        writer.write("source", source)
        writer.write("specversion", specversion)
        writer.write("subject", subject)
        writer.write("time", time.text)
        writer.write("traceparent", traceparent)
        writer.write("type", type)
        writer.end()
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ name: String, _ text: String?) {
        guard let text else { return }
        write(name: name)
        write(quoted: text)
    }
}

private struct Fields {
    let members: [String: JSONValue]

    func text(_ name: String) throws -> String {
        guard let text = try textIfPresent(name) else { throw mistaken(name, "it is missing") }
        return text
    }

    func textIfPresent(_ name: String) throws -> String? {
        switch members[name] {
        case .string(let text): return text
        case nil, .null: return nil
        case .bool, .int, .double, .array, .object: throw mistaken(name, "a text is expected")
        }
    }

    func mistaken(_ name: String, _ what: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "the attribute '\(name)': \(what)"))
    }
}
