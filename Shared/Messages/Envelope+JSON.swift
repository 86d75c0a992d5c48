import Foundation

/// The same form as `Codable` gives it, without the way through Foundation's coders: every event passes here.
extension Envelope {
    /// - Throws: `DecodingError`, with the attribute that is missing or has another form.
    init(json: Data) throws {
        var draft = Draft()
        try JSONReader.read(json) { name, reader in try draft.take(name, try reader.value()) }
        func text(_ attribute: Draft.Attribute) throws -> String {
            guard let text = draft.texts[attribute.rawValue] else {
                throw Draft.mistaken("\(attribute)", "it is missing")
            }
            return text
        }
        let time = try text(.time)
        guard let timestamp = Timestamp(time) else { throw Draft.mistaken("time", "'\(time)' is not an RFC 3339 time") }
        guard let depth = draft.depth else { throw Draft.mistaken("causationdepth", "it is missing") }
        guard let data = draft.data else { throw Draft.mistaken("data", "it is missing") }
        specversion = try text(.specversion)
        id = try text(.id)
        source = try text(.source)
        type = try text(.type)
        subject = try text(.subject)
        self.time = timestamp
        datacontenttype = draft.texts[Draft.Attribute.datacontenttype.rawValue]
        dataschema = draft.texts[Draft.Attribute.dataschema.rawValue]
        partitionkey = try text(.partitionkey)
        correlationid = try text(.correlationid)
        causationid = draft.texts[Draft.Attribute.causationid.rawValue]
        causationdepth = depth
        traceparent = draft.texts[Draft.Attribute.traceparent.rawValue]
        actor = try text(.actor)
        replayof = draft.texts[Draft.Attribute.replayof.rawValue]
        self.data = data
        extensions = draft.extensions
    }

    /// Whether CloudEvents lets an attribute have this name (3.1), which none of Martlet's own has.
    package static func isExtension(_ name: String) -> Bool {
        (1...20).contains(name.utf8.count)
            && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) } && !Draft.isOwn(name)
    }

    func write(to writer: inout JSONWriter) throws {
        guard extensions.isEmpty else {
            var own = self
            own.extensions = [:]
            // All names in their order.
            let members = try Wire.decode([String: JSONValue].self, from: try Wire.encode(own))
            return try writer.write(JSONValue.object(members.merging(extensions) { own, _ in own }))
        }
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

/// An envelope as far as it was read.
private struct Draft {
    /// Those that are texts.
    enum Attribute: Int, CaseIterable {
        case specversion, id, source, type, subject, time, datacontenttype, dataschema, partitionkey, correlationid
        case causationid, traceparent, actor, replayof
    }

    private static let named = Dictionary(uniqueKeysWithValues: Attribute.allCases.map { ("\($0)", $0) })

    var texts = [String?](repeating: nil, count: Attribute.allCases.count)
    var depth: Int?
    var data: JSONValue?
    var extensions: [String: JSONValue] = [:]

    static func isOwn(_ name: String) -> Bool { named[name] != nil || name == "data" || name == "causationdepth" }

    /// The first one of a name stands, as in Foundation.
    mutating func take(_ name: String, _ value: JSONValue) throws {
        if let attribute = Self.named[name] {
            switch value {
            case .string(let text): texts[attribute.rawValue] = texts[attribute.rawValue] ?? text
            case .null: return
            case .bool, .int, .double, .array, .object: throw Self.mistaken(name, "a text is expected")
            }
        } else if name == "data" {
            data = data ?? value
        } else if name == "causationdepth" {
            guard case .int(let number) = value else { throw Self.mistaken(name, "a whole number is expected") }
            depth = depth ?? number
        } else if extensions[name] == nil, Envelope.isExtension(name) {
            switch value {
            case .bool, .int, .string: extensions[name] = value
            // CloudEvents has no such attributes.
            case .null, .double, .array, .object: break
            }
        }
    }

    static func mistaken(_ name: String, _ what: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "the attribute '\(name)': \(what)"))
    }
}
