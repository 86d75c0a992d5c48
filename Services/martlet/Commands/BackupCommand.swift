import ArgumentParser
import Foundation
import Messages
import ServiceKit

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the state of all services as of one moment, while they run.",
        discussion: """
            The folder holds each service's database and all artifacts (as further names of the same files, where it is on
            the same file system). Secrets, keys and tokens are not in it. 'martlet restore' puts it back.
            Examples:
              martlet backup /backups/monday
              martlet up --backup-to /backups --backup-every 1h --backup-keep 24
            """)

    @Argument(help: "A folder that does not exist yet.")
    var folder: String

    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    var data: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try DataPaths.check(data)
        if folder.isEmpty { throw ValidationError("name the folder that the backup shall be in") }
    }

    func run() async throws {
        let paths = DataPaths.chosen(data)
        let bucket = SuiteRecord.read(paths)?.artifacts ?? SuiteRecord.bucket
        let writer = BackupWriter(paths: paths, bucket: bucket, tell: Terminal.complain)
        let record = try await writer.write(to: folder)
        if json { return Terminal.say(try Terminal.pretty(record)) }
        let bytes = record.services.values.reduce(0) { $0 + $1.bytes }
        let artifacts =
            record.artifacts.bucket.map { "the artifacts stay in \($0)" }
            ?? "\(record.artifacts.count) artifacts (\(Sizes.text(.int(Int(record.artifacts.bytes)))))"
        Terminal.say(
            """
            backed up: \(record.services.count) services as of \(record.time), \(Sizes.text(.int(Int(bytes)))), \(artifacts)
            It took \((record.seconds * 10).rounded() / 10) s; writers waited \(Int(record.heldMilliseconds.rounded(.up))) ms.
            Back: martlet down, martlet restore \(folder), martlet up
            """)
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

    @Option(help: "Data folder. Default: $MARTLET_HOME, else ~/.martlet.")
    var data: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws { try DataPaths.check(data) }

    func run() async throws {
        let paths = DataPaths.chosen(data)
        try Folders.make(paths.root)
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
        Terminal.say("restored: \(done.services.joined(separator: ", ")) as of \(done.time)\(kept)\nStart: martlet up")
    }
}
