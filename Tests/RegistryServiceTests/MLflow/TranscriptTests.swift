import Foundation
import Messages
import Testing

@testable import RegistryService

/// What MLflow's own clients asked its own server, asked again here: the answers are the same but for ids and times.
@Suite struct TranscriptTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/mlflow")

    private static func calls(_ file: String) throws -> [JSONValue] {
        try Data(contentsOf: folder.appendingPathComponent(file)).split(separator: UInt8(ascii: "\n"))
            .map { try Wire.decode(JSONValue.self, from: Data($0)) }
    }

    @Test(arguments: [("transcript.jsonl", 0), ("transcript-client-2x.jsonl", 0), ("transcript-extra.jsonl", 3)])
    func `a recorded client is answered as by MLflow's own server`(file: String, earlier: Int) async throws {
        let door = try await Door()
        for number in 0..<earlier { _ = try await door.post("/experiments/create", ["name": .string("e\(number)")]) }
        var replay = Replay(door: door)
        // Nobody listens any more where the recorded webhook was tried out.
        for call in try Self.calls(file) where call["step"] != "test_webhook" { try await replay.play(call) }
        #expect(replay.played > 40)
    }

    @Test func `what no client sends is refused as by MLflow's own server`() async throws {
        let door = try await Door()
        _ = try await door.post("/registered-models/create", ["name": "x0"])
        var replay = Replay(door: door, comparesBodies: false)
        // Paths with dots and foreign hosts have tests of their own; the listing is of models that are not here.
        for call in try Self.calls("raw-errors.jsonl") where ![248, 249, 250, 256, 259, 260].contains(call["n"]?.int) {
            try await replay.play(call)
        }
        #expect(replay.played > 10)
    }
}

/// Plays calls in order, with our ids in place of the recorded ones.
private struct Replay {
    let door: Door
    var comparesBodies = true
    var played = 0
    private var ours: [String: String] = [:]

    init(door: Door, comparesBodies: Bool = true) {
        self.door = door
        self.comparesBodies = comparesBodies
    }

    mutating func play(_ call: JSONValue) async throws {
        let (method, path) = (call["method"]?.string ?? "", translated(call["path"]?.string ?? ""))
        let query = (call["query"]?.array ?? []).map {
            ($0[0]?.string ?? "", translated($0[1]?.string ?? ""))
        }
        let body = try body(call["request_body"])
        try await storeFiles(call["request_body"]?["json"]?["source"]?.string)
        let type = call["request_headers"]?["Content-Type"]?.string
        let answer = try await door.send(
            method, path, query: query, body: body, headers: type.map { [(name: "Content-Type", value: $0)] } ?? [])
        played += 1
        let place = "\(call["n"]?.int ?? 0) \(call["step"]?.string ?? "") \(method) \(path)"
        let recorded = call["response_body"]?["json"] ?? .null
        #expect(answer.status == call["status"]?.int, "\(place): \(answer.json)")
        #expect(answer.code == recorded["error_code"]?.string, "\(place): \(answer.json)")
        guard answer.status == 200, comparesBodies, !Self.ownAnswers.contains(path) else { return }
        if let text = call["response_body"]?["text"]?.string {
            #expect(answer.bytes == Data(translated(text).utf8), "\(place)")
        }
        if let count = call["response_body"]?["binary_bytes"]?.int { #expect(answer.bytes.count == count, "\(place)") }
        learn(recorded, answer.json)
        compare(recorded, answer.json, place)
    }

    private func translated(_ text: String) -> String {
        ours.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    }

    private func body(_ recorded: JSONValue?) throws -> Data? {
        if let json = recorded?["json"] {
            return Data(translated(String(decoding: try Wire.encode(json), as: UTF8.self)).utf8)
        }
        if let text = recorded?["text"]?.string { return Data(translated(text).utf8) }
        return recorded?["binary_bytes"]?.int.map { Data(repeating: 7, count: $0) }
    }

    /// The recorded server took versions without files; here they must be there.
    private func storeFiles(_ source: String?) async throws {
        guard let source, source.hasPrefix("runs:/") else { return }
        let parts = translated(source).dropFirst("runs:/".count).split(separator: "/", maxSplits: 1)
        let run = try await door.get("/runs/get", [("run_id", String(parts[0]))]).json["run"]?["info"]
        guard let uri = run?["artifact_uri"]?.string else { return }
        let folder = uri.dropFirst("mlflow-artifacts:/".count) + "/" + parts[1]
        let held = try await door.get("/api/2.0/mlflow-artifacts/artifacts", [("path", String(folder))])
        if held.json["files"] == nil { try await door.put(folder + "/MLmodel") }
    }

    private static let ids: Set<String> = ["run_id", "run_uuid", "model_id", "next_page_token", "webhook_id"]
    /// What differs from one run to the next, or what only the other server has to say.
    private static let ignored: Set<String> = [
        "file_size", "creation_timestamp", "last_updated_timestamp", "creation_time", "last_update_time",
        "creation_timestamp_ms",
        "last_updated_timestamp_ms", "workspace", "sqlstate", "features_enabled", "presigned_upload_run_id_supported",
        "presigned_upload_model_id_supported",
    ]
    /// Where a version is downloaded from: here that is a place of its own, which does not change.
    private static let ownAnswers: Set<String> = ["/api/2.0/mlflow/model-versions/get-download-uri"]

    /// Which id here stands for which there.
    private mutating func learn(_ recorded: JSONValue, _ found: JSONValue) {
        if case (.array(let wanted), .array(let held)) = (recorded, found) {
            for (left, right) in zip(wanted, held) { learn(left, right) }
        }
        for (key, value) in recorded.object ?? [:] {
            guard let own = found[key] else { continue }
            let isGenerated = Self.ids.contains(key) || key == "run_name" && value.string?.contains("-") == true
            if isGenerated, let id = value.string, let new = own.string, id.count > 8 { ours[id] = new }
            learn(value, own)
        }
    }

    private func compare(_ recorded: JSONValue, _ found: JSONValue, _ place: String) {
        switch (recorded, found) {
        case (.object(let wanted), .object(let held)):
            for (key, value) in wanted.sorted(by: { $0.key < $1.key }) where !Self.ignored.contains(key) {
                guard let own = held[key] else {
                    #expect(value == .object([:]), "\(place): '\(key)' is missing in \(found)")
                    continue
                }
                compare(value, own, place + " ." + key)
            }
        case (.array(let wanted), .array(let held)):
            let (wanted, held) = (sorted(wanted, place), sorted(held, place))
            #expect(wanted.count == held.count, "\(place): \(found)")
            for (left, right) in zip(wanted, held) { compare(left, right, place) }
        case (.string(let wanted), .string(let held)):
            // What holds JSON may be written otherwise.
            let wanted = translated(wanted)
            let isSame = wanted == held || json(wanted) != nil && json(wanted) == json(held)
            #expect(isSame, "\(place): \(wanted) is \(held)")
        default:
            #expect(recorded == found || recorded.double == found.double, "\(place)")
        }
    }

    /// Tags, metrics and files have no order of their own; things that have one keep it.
    private func sorted(_ items: [JSONValue], _ place: String) -> [JSONValue] {
        // The recorded server notes a model's versions a second time, beside its client.
        let items = items.filter { $0["key"] != "mlflow.modelVersions" }
        if place.hasSuffix("latest_versions") {
            return items.sorted { ($0["version"]?.string ?? "") < ($1["version"]?.string ?? "") }
        }
        guard items.allSatisfy({ ($0["key"] ?? $0["path"])?.string != nil }) else { return items }
        return items.sorted { text($0) < text($1) }
    }

    private func json(_ text: String) -> JSONValue? {
        guard text.hasPrefix("[") || text.hasPrefix("{") else { return nil }
        return try? Wire.decode(JSONValue.self, from: Data(text.utf8))
    }

    private func text(_ item: JSONValue) -> String {
        ((item["key"] ?? item["path"])?.string ?? "") + String(item["step"]?.int ?? 0)
    }
}
