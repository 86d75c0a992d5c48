import Artifacts
import Foundation
import Messages
import ServiceKit

/// Backups that are taken by themselves: one each so often, the newest so many kept.
struct BackupSchedule: Sendable {
    let folder: String
    let every: Duration
    let keep: Int
    let paths: DataPaths
    let bucket: String?
    /// What each one came to.
    var tell: @Sendable (String) -> Void = { _ in }

    /// - Parameter into: the folder that they are made in.
    /// - Throws: `Failure` when it is not there and cannot be made.
    init(into folder: String, every: Span, keep: Int, paths: DataPaths, bucket: String?) throws {
        self.folder = URL(fileURLWithPath: folder).standardizedFileURL.path
        (self.every, self.keep, self.paths, self.bucket) = (every.duration, keep, paths, bucket)
        try Folders.make(self.folder)
    }

    /// Runs until it is cancelled. A backup that fails is told of and tried again; the suite goes on.
    func run() async {
        while !Task.isCancelled {
            let wait = wait(at: Timestamp(Date()))
            guard (try? await Task.sleep(for: wait)) != nil else { return }
            var status = BackupStatus.read(paths) ?? BackupStatus(folder: folder, everySeconds: 0)
            (status.folder, status.everySeconds) = (folder, every / .seconds(1))
            let now = Timestamp(Date())
            do {
                let path = "\(folder)/\(BackupName.of(now))"
                let writer = BackupWriter(paths: paths, bucket: bucket, tell: { _ in })
                let record = try await writer.write(to: path)
                (status.last, status.path, status.failure) = (record.time, path, nil)
                tell(record.text)
                try removeOld()
            } catch is CancellationError {
                return
            } catch {
                status.failure = "\(now.text): \((error as? Failure)?.problem ?? "\(error)")"
                Terminal.complain("the backup to \(folder) failed, it is tried again: \(error)")
            }
            try? status.write(paths)
            if status.failure != nil { try? await Task.sleep(for: min(every, .seconds(60))) }
        }
    }

    /// Counted from the newest complete one, so that restarts do not put it off.
    private func wait(at now: Timestamp) -> Duration {
        guard let newest = Self.complete(in: folder).last, let time = Self.time(of: newest) else { return .zero }
        let age = Duration.milliseconds(now.milliseconds - time.milliseconds)
        return max(.zero, every - max(.zero, age))
    }

    /// Their names, oldest first.
    static func complete(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { BackupName.isOne($0) && Folders.exists(BackupFolder(path: "\(folder)/\($0)").recordPath) }
            .sorted()
    }

    private static func time(of name: String) -> Timestamp? {
        let letters = Array(name)
        guard letters.count == 16 else { return nil }
        func part(_ range: Range<Int>) -> String { String(letters[range]) }
        return Timestamp(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
    }

    /// Only what has the name of a scheduled backup: whatever else is in the folder is somebody else's.
    func removeOld() throws {
        for name in Self.complete(in: folder).dropLast(keep) {
            // Without its record it is no backup any more, also when this is interrupted.
            try FileManager.default.removeItem(atPath: BackupFolder(path: "\(folder)/\(name)").recordPath)
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        for name in names where BackupName.isOne(String(name.prefix(16))) {
            let isLeftOver =
                name.hasSuffix(BackupWriter.unfinished)
                || (name.count == 16 && !Folders.exists(BackupFolder(path: "\(folder)/\(name)").recordPath))
            if isLeftOver { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
        }
    }
}
