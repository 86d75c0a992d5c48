import ArgumentParser
import Foundation
import Messages
import ServiceKit
import UnixSignals

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the state of all services as of one moment, while they run.",
        discussion: """
            The folder holds each service's database and all artifacts (as further names of the same files, where it is on
            the same file system). Secrets, keys and tokens are not in it. 'martlet restore' puts it back.
            Examples:
              martlet backup /backups/monday
              martlet backup /backups --every 1h --keep 24
              martlet up --backup-to /backups --backup-every 1h --backup-keep 24
            """)

    @Argument(help: "A folder that does not exist yet; with --every, the one that backups are made in.")
    var folder: String

    @OptionGroup var place: DataPlace

    @Option(help: "Go on until stopped, and take one each 30m, 1h, 1d.")
    var every: Span?

    @Option(help: "With --every: how many of the newest to keep.")
    var keep = 24

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if folder.isEmpty { throw ValidationError("name the folder that the backup shall be in") }
        if keep < 1 { throw ValidationError("--keep: take at least 1") }
        if json, every != nil { throw ValidationError("--json is for one backup; leave it or --every out") }
    }

    func run() async throws {
        let paths = place.paths
        let bucket = SuiteRecord.read(paths)?.artifacts ?? SuiteRecord.bucket
        if let every {
            var schedule = try BackupSchedule(into: folder, every: every, keep: keep, paths: paths, bucket: bucket)
            schedule.tell = { Terminal.say($0) }
            return await Self.goOn(schedule)
        }
        let writer = BackupWriter(paths: paths, bucket: bucket, tell: Terminal.complain)
        let record = try await writer.write(to: folder)
        if json { return Terminal.say(try Terminal.pretty(record)) }
        let back =
            paths.volumes == nil
            ? "martlet down, martlet restore \(folder), martlet up"
            : "docker compose down, docker compose run --rm backup restore \(folder), docker compose up --detach"
        Terminal.say("\(record.text)\nBack: \(back)")
    }

    /// Until it is told to stop; a backup that is being written is finished.
    private static func goOn(_ schedule: BackupSchedule) async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let work = Task { await schedule.run() }
        for await _ in signals { break }
        work.cancel()
        await work.value
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of the present state; the suite must be down.",
        discussion: """
            Everything is checked before anything is replaced, and what is replaced is kept in the data folder. Logs go on
            under a new epoch from where the backup ends: a follower that had read more than that notices.
            Examples:
              martlet restore /backups/monday
              martlet restore /backups/monday --service registry-service
            """)

    @Argument(help: "A folder that 'martlet backup' made.")
    var folder: String

    @Option(help: "Only this service; may be repeated. Others may then have read what it no longer has.")
    var service: [String] = []

    @OptionGroup var place: DataPlace

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let paths = place.paths
        if paths.volumes == nil { try Folders.make(paths.root) }
        let restore = Restore(
            paths: paths, backup: BackupFolder(path: URL(fileURLWithPath: folder).standardizedFileURL.path),
            only: service.isEmpty ? nil : service, tell: Terminal.complain)
        let done = try await restore.run()
        if json {
            return try Terminal.show([
                "time": .string(done.time), "services": .array(done.services.map { .string($0) }),
                "replaced": done.replaced.map { .string($0) } ?? .null,
            ])
        }
        let kept = done.replaced.map { "\nWhat was there is in \($0); delete it when all is well." } ?? ""
        let start = paths.volumes == nil ? "martlet up" : "docker compose up --detach"
        Terminal.say("restored: \(done.services.joined(separator: ", ")) as of \(done.time)\(kept)\nStart: \(start)")
    }
}

/// Where the state of all services is.
struct DataPlace: ParsableArguments {
    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Where the volumes of containers are: each service's data folder below its name. Default: $MARTLET_VOLUMES.",
            discussion: "The artifacts are those of the data folder. The service 'backup' of compose.yaml is set up so."
        ))
    var volumes: String?

    func validate() throws {
        try DataPaths.check(data)
        if volumes?.isEmpty == true { throw ValidationError("--volumes: name a folder, or leave the option out") }
    }

    var paths: DataPaths {
        let variable = ProcessInfo.processInfo.environment["MARTLET_VOLUMES"].flatMap { $0.isEmpty ? nil : $0 }
        return .chosen(data, volumes: volumes ?? variable)
    }
}
