import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

/// Takes a backup of a data folder, whether its services run or not.
struct BackupWriter {
    let paths: DataPaths
    /// Where the artifacts are; `nil` for the data folder.
    let bucket: String?
    let tell: @Sendable (String) -> Void

    /// - Parameter target: a folder that is not there yet, or empty. It is there completely or not at all.
    func write(to target: String) async throws -> BackupRecord {
        let target = URL(fileURLWithPath: target).standardizedFileURL.path
        if let held = try? FileManager.default.contentsOfDirectory(atPath: target), !held.isEmpty {
            throw Failure("\(target) is not empty", hint: "name a folder that does not exist yet")
        }
        try RestoreMark.refuseUnfinished(paths)
        let began = ContinuousClock.now
        let members = try members()
        let partial = BackupFolder(path: "\(target).\(UUID().uuidString.prefix(8).lowercased())\(Self.unfinished)")
        do {
            try Folders.make(partial.path)
            // Before the cut: what the copies refer to must not be swept before it is linked.
            let store = ArtifactStore(root: paths.artifacts)
            let sweeps = try await store.holdSweeps()
            defer { withExtendedLifetime(sweeps) {} }
            let (databases, moment, held) = try await copy(members, to: partial)
            var artifacts = BackupRecord.Artifacts(bucket: bucket, count: 0, bytes: 0)
            if bucket == nil {
                (artifacts.count, artifacts.bytes) = try await store.link(
                    to: partial.artifacts, or: Self.newest(beside: target)?.artifacts)
                tell("artifacts: \(artifacts.count), \(Sizes.text(.int(Int(artifacts.bytes))))")
            }
            let record = BackupRecord(
                time: moment.text, services: databases, artifacts: artifacts,
                heldMilliseconds: held / .milliseconds(1), seconds: (.now - began) / .seconds(1))
            try Folders.write(try Terminal.pretty(record), to: partial.recordPath)
            try Folders.move(partial.path, to: target)
            return record
        } catch {
            try? FileManager.default.removeItem(atPath: partial.path)
            throw Self.explained(error)
        }
    }

    /// The end of the name of a backup that is not complete yet.
    static let unfinished = ".partial"

    /// The newest complete backup in the same folder: what it has need not be copied again.
    private static func newest(beside target: String) -> BackupFolder? {
        let parent = (target as NSString).deletingLastPathComponent
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return names.map { BackupFolder(path: "\(parent)/\($0)") }
            .compactMap { folder in (try? folder.read().time).map { (folder, $0) } }
            .max { $0.1 < $1.1 }?.0
    }

    private func members() throws -> [DatabaseCut.Member] {
        let members = Source.all.filter { $0 != .ingest }.compactMap { source -> DatabaseCut.Member? in
            let path = paths.database(source)
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            return DatabaseCut.Member(name: source.name, path: path)
        }
        guard !members.isEmpty else {
            throw Failure(
                "\(paths.volumes ?? paths.root) holds no Martlet",
                hint: "name its data folder with --data, or MARTLET_HOME, or where its volumes are with --volumes")
        }
        return members
    }

    private func copy(
        _ members: [DatabaseCut.Member], to folder: BackupFolder
    ) async throws -> ([String: BackupRecord.Database], Timestamp, Duration) {
        let (tell, queue) = (tell, FileQueue())
        return try await queue.run {
            let cut = try DatabaseCut(members)
            let moment = Timestamp(Date())
            var databases: [String: BackupRecord.Database] = [:]
            for member in members {
                let path = folder.database(member.name)
                try Folders.make((path as NSString).deletingLastPathComponent)
                try cut.copy(member, to: path)
                let bytes = Folders.size(path)
                databases[member.name] = BackupRecord.Database(bytes: bytes, logs: try DatabaseCopy.logs(path))
                tell("\(member.name): \(Sizes.text(.int(Int(bytes))))")
            }
            return (databases, moment, cut.held)
        }
    }

    private static func explained(_ error: any Error) -> any Error {
        switch error {
        case let error as StoreError: Failure(error.description)
        case let error as ArtifactError: Failure(error.description)
        default: error
        }
    }
}
