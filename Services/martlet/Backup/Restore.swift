import Artifacts
import Foundation
import Messages
import Processes
import ServiceKit
import Store

/// Puts a backup in the place of what is there. Everything that can fail is done before anything is replaced; what is
/// replaced is kept.
struct Restore {
    let paths: DataPaths
    let backup: BackupFolder
    /// Of these services only; `nil` for all.
    let only: [String]?
    let tell: @Sendable (String) -> Void

    struct Done: Sendable {
        var time: String
        var services: [String]
        /// Where that is what was replaced; `nil` when there was nothing.
        var replaced: String?
    }

    /// - Throws: `Failure`; unless it says otherwise, everything is as it was.
    func run() async throws -> Done {
        let suite = paths.volumes == nil ? try holdSuite() : nil
        defer { withExtendedLifetime(suite) {} }
        if let earlier = RestoreMark.read(paths) {
            tell("finishing the restore of \(earlier.from), which was interrupted")
            _ = try earlier.finish(paths)
        }
        let record = try backup.read()
        let services = try wanted(record)
        let leaders = try services.map { try hold($0) }
        defer { withExtendedLifetime(leaders) {} }
        guard Leftovers(of: paths).working.isEmpty else {
            throw Failure(
                "steps of the present state are still at work",
                hint: "'martlet down --all' ends them; then restore again")
        }
        try check(record, services)
        if record.artifacts.bucket == nil {
            let count = try await ArtifactStore(root: paths.artifacts).take(from: backup.artifacts)
            tell("artifacts: \(count) that were missing")
        }
        for service in services {
            let path = RestoreMark.staged(service, paths)
            try Folders.make((path as NSString).deletingLastPathComponent)
            try Folders.copy(backup.database(service), to: path)
        }
        let moment = BackupName.of(Timestamp(Date()))
        let mark = RestoreMark(
            from: backup.path, time: record.time, services: services, replaced: "\(paths.root)/replaced/\(moment)")
        try mark.write(paths)
        let replaced = try mark.finish(paths)
        let kept = paths.volumes == nil ? mark.replaced : "replaced/\(moment) of each volume"
        return Done(time: record.time, services: services, replaced: replaced ? kept : nil)
    }

    private func wanted(_ record: BackupRecord) throws -> [String] {
        let all = record.services.keys.sorted()
        guard let only else { return all }
        for name in only where !all.contains(name) {
            throw Failure("the backup has no '\(name)'", hint: "it has \(all.joined(separator: ", "))")
        }
        return all.filter(only.contains)
    }

    private func holdSuite() throws -> LeaderLock {
        guard let lock = try SuiteLock.acquire(paths) else {
            throw Failure(
                "Martlet runs on \(paths.root)", hint: "stop it first: 'martlet down --data \(paths.root)'")
        }
        return lock
    }

    /// A service that was started by itself, or in a container, must not run either.
    private func hold(_ service: String) throws -> LeaderLock {
        let source = Source(stringLiteral: service)
        try Folders.make(paths.service(source))
        guard let lock = try LeaderLock.acquire(path: paths.leaderLock(source)) else {
            throw Failure("\(service) runs on \(paths.home(of: source))", hint: "stop it first")
        }
        return lock
    }

    private func check(_ record: BackupRecord, _ services: [String]) throws {
        for service in services {
            let path = backup.database(service)
            guard Folders.exists(path) else {
                throw Failure("the backup is not complete: \(path) is missing", hint: "nothing was changed")
            }
            do {
                guard try DatabaseCopy.check(path) == record.services[service]?.logs else {
                    throw Failure("\(path) is not the file that was backed up", hint: "nothing was changed")
                }
            } catch let error as StoreError {
                throw Failure(error.description, hint: "nothing was changed")
            }
            tell("\(service): \(Sizes.text(.int(Int(Folders.size(path))))), whole")
        }
    }
}

/// `restore.json`: databases are being replaced. As long as it is in a data folder nothing starts there; the next
/// `restore` finishes it first.
struct RestoreMark: Codable, Sendable, Hashable {
    var from: String
    var time: String
    var services: [String]
    /// Where what was there is kept.
    var replaced: String

    /// One data folder, or that of each service.
    private static func places(_ services: [Source], _ paths: DataPaths) -> [String] {
        Set(services.map { paths.restoreMark(of: $0) }).sorted()
    }
    static func staged(_ service: String, _ paths: DataPaths) -> String {
        paths.database(Source(stringLiteral: service)) + ".restored"
    }

    static func read(_ paths: DataPaths) -> RestoreMark? {
        for path in places(Source.all, paths) {
            if let text = FileManager.default.contents(atPath: path),
                let mark = try? Wire.decode(RestoreMark.self, from: text)
            {
                return mark
            }
        }
        return nil
    }

    private var sources: [Source] { services.map { Source(stringLiteral: $0) } }

    func write(_ paths: DataPaths) throws {
        for path in Self.places(sources, paths) { try Folders.write(try Terminal.pretty(self), to: path) }
    }

    /// May be called again after a crash at any line: what was replaced already is left alone.
    /// - Returns: whether there was anything to keep.
    func finish(_ paths: DataPaths) throws -> Bool {
        for source in sources {
            let (path, staged) = (paths.database(source), Self.staged(source.name, paths))
            guard Folders.exists(staged) else { continue }
            let kept = kept(source, paths)
            // With its write-ahead log, which alone may have its last commits.
            for part in ["", "-wal", "-shm"] where Folders.exists(path + part) {
                try Folders.make(kept)
                try Folders.move(path + part, to: "\(kept)/state.sqlite\(part)")
            }
            try Folders.move(staged, to: path)
        }
        for path in Self.places(sources, paths) where Folders.exists(path) {
            try FileManager.default.removeItem(atPath: path)
        }
        return sources.contains { Folders.exists(kept($0, paths)) }
    }

    /// On the same file system as what is moved there.
    private func kept(_ source: Source, _ paths: DataPaths) -> String {
        "\(paths.home(of: source))/replaced/\((replaced as NSString).lastPathComponent)/\(source.name)"
    }

    /// Before anything starts on the folder.
    static func refuseUnfinished(_ paths: DataPaths) throws {
        guard let mark = read(paths) else { return }
        throw Failure(
            "a restore of \(mark.from) was interrupted on \(paths.root)",
            hint: "finish it: 'martlet restore \(mark.from) --data \(paths.root)'")
    }
}
