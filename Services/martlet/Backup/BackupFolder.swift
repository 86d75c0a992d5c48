import Foundation
import Messages
import ServiceKit
import Store

/// A backup: `backup.json`, each service's database, and the artifacts of that moment. Without `backup.json`, which is
/// written last, it is none.
struct BackupFolder: Sendable, Hashable {
    let path: String

    var recordPath: String { path + "/backup.json" }
    var artifacts: String { path + "/artifacts" }
    func database(_ service: String) -> String { "\(path)/services/\(service)/state.sqlite" }

    /// - Throws: `Failure` for a folder that is no complete backup.
    func read() throws -> BackupRecord {
        guard let text = FileManager.default.contents(atPath: recordPath) else {
            throw Failure(
                "\(path) is no backup: it has no backup.json",
                hint: "name a folder that 'martlet backup' made; one that was interrupted is not complete")
        }
        do {
            let record = try Wire.decode(BackupRecord.self, from: text)
            guard record.version == BackupRecord.version else {
                throw Failure("\(path) was written by another Martlet", hint: "restore it with that one or a newer one")
            }
            return record
        } catch let error as DecodingError {
            throw Failure("\(recordPath) cannot be read: \(error)", hint: "take another backup")
        }
    }
}

/// What a backup holds.
struct BackupRecord: Codable, Sendable, Hashable {
    static let version = 1

    struct Database: Codable, Sendable, Hashable {
        var bytes: Int64
        /// How far its logs had come.
        var logs: [String: DatabaseCopy.LogPlaceText]
    }

    struct Artifacts: Codable, Sendable, Hashable {
        /// The bucket that they stay in; `nil`: they are here.
        var bucket: String?
        var count: Int
        var bytes: Int64
    }

    var version = BackupRecord.version
    /// The moment that all copies are of.
    var time: String
    var services: [String: Database]
    var artifacts: Artifacts
    /// How long writers had to wait for it.
    var heldMilliseconds: Double
    var seconds: Double

    /// For people.
    var text: String {
        let bytes = services.values.reduce(0) { $0 + $1.bytes }
        let kept =
            artifacts.bucket.map { "the artifacts stay in \($0)" }
            ?? "\(artifacts.count) artifacts (\(Sizes.text(.int(Int(artifacts.bytes)))))"
        return """
            backed up: \(services.count) services as of \(time), \(Sizes.text(.int(Int(bytes)))), \(kept)
            It took \((seconds * 10).rounded() / 10) s; writers waited \(Int(heldMilliseconds.rounded(.up))) ms.
            """
    }
}
