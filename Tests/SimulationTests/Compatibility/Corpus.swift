import Foundation
import Messages

/// `Tests/Fixtures/events`: events as they were released.
enum Corpus {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/events")

    /// The lines of each file, by its name without the ending.
    static func files() throws -> [String: [Data]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".jsonl") }
        return try Dictionary(
            uniqueKeysWithValues: names.map { name in
                let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                return (String(name.dropLast(".jsonl".count)), text.split(separator: "\n").map { Data($0.utf8) })
            })
    }

    static func events() throws -> [Data] { try files().sorted { $0.key < $1.key }.flatMap(\.value) }
}

/// What becomes of bytes on a bad day.
struct Mutator {
    private var random: SeededRandom
    private let events: [Data]

    init(seed: UInt64, events: [Data]) {
        random = SeededRandom(seed: seed)
        self.events = events
    }

    mutating func next() -> Data {
        var data = events[Int.random(in: 0..<events.count, using: &random)]
        for _ in 0...Int.random(in: 0...4, using: &random) { data = change(data) }
        return data
    }

    private mutating func place(_ data: Data) -> Int {
        data.isEmpty ? 0 : Int.random(in: 0..<data.count, using: &random)
    }

    private mutating func change(_ data: Data) -> Data {
        var bytes = Array(data)
        let at = place(data)
        switch Int.random(in: 0...9, using: &random) {
        case 0 where !bytes.isEmpty: bytes[at] = UInt8.random(in: .min ... .max, using: &random)
        case 1 where !bytes.isEmpty: bytes.remove(at: at)
        case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: at)
        case 3: bytes = Array(bytes.prefix(at))
        case 4: bytes += bytes.suffix(at)
        case 5:
            // Another value in the place of one.
            let values = ["null", "-1", "1e999", "99999999999999999999", "[]", "{}", "\"\"", "true", "\"\\u0000\""]
            let value = values[Int.random(in: 0..<values.count, using: &random)]
            if let colon = bytes[at...].firstIndex(of: 0x3a), let comma = bytes[colon...].firstIndex(of: 0x2c) {
                bytes.replaceSubrange((colon + 1)..<comma, with: Array(value.utf8))
            }
        case 6:
            // The fields of one type under the name of another.
            let other = events[Int.random(in: 0..<events.count, using: &random)]
            bytes = Array(bytes.prefix(at)) + other.suffix(other.count / 2)
        case 7: bytes = Array(String(repeating: "[", count: Int.random(in: 1...20_000, using: &random)).utf8)
        case 8:
            let depth = Int.random(in: 1...5_000, using: &random)
            let bomb = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
            if let data = String(decoding: bytes, as: UTF8.self).range(of: "\"data\":") {
                let text = String(decoding: bytes, as: UTF8.self)
                bytes = Array((text[..<data.upperBound] + bomb + "}").utf8)
            } else {
                bytes = Array(bomb.utf8)
            }
        default:
            bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
        }
        return Data(bytes.prefix(60_000))
    }
}
