import Foundation
import Messages

/// Appends notices as JSON lines to files under one folder; a line is there once, whatever dies in between.
actor NotificationFiles {
    private struct Line: Codable {
        var delivery: String
        var event: String
        var type: String
        var project: String
        var text: String
        var notice: Notice
    }

    private let root: String

    init(root: String) { self.root = root }

    func append(_ delivery: Delivery, to channel: String) -> Attempt {
        guard let path = ChannelPath(channel) else {
            return .giveUp(reason: "'\(channel)' is not a file's path below \(root): no '..', no leading '/'")
        }
        do {
            try write(delivery, to: path)
            return .sent
        } catch let error as FileProblem {
            return .retry(reason: error.description, after: nil)
        } catch {
            return .retry(reason: "\(error)", after: nil)
        }
    }

    private func write(_ delivery: Delivery, to path: ChannelPath) throws {
        let folder = ([root] + path.components.dropLast()).joined(separator: "/")
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard Self.isBelow(folder, root), let name = path.components.last else {
            throw FileProblem(path: folder, problem: "leads out of \(root)")
        }
        let file = folder + "/" + name
        let descriptor = open(file, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileProblem(path: file, code: errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let end = try Self.dropTornLine(handle)
        // Only what a crash may have left unmarked can stand there already.
        guard try !Self.holds(delivery.id, handle, end: end) else { return }
        try handle.seekToEnd()
        try handle.write(contentsOf: Self.line(delivery))
        try handle.synchronize()
    }

    private static func line(_ delivery: Delivery) throws -> Data {
        let line = Line(
            delivery: delivery.id, event: delivery.event, type: delivery.type, project: delivery.project,
            text: delivery.notice.plain, notice: delivery.notice)
        return try Wire.encode(line) + Data("\n".utf8)
    }

    private static func isBelow(_ folder: String, _ root: String) -> Bool {
        let real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        let realRoot = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
        return real == realRoot || real.hasPrefix(realRoot + "/")
    }

    /// What one look back reads; lines are far shorter.
    private static let window: UInt64 = 1 << 20

    /// A crash or a full disk may have left half a line: its delivery is still to come, so the half is taken away.
    /// - Returns: the file's length after that.
    private static func dropTornLine(_ handle: FileHandle) throws -> UInt64 {
        let length = try handle.seekToEnd()
        let tail = try tail(handle, end: length)
        guard let last = tail.last, last != 10 else { return length }
        let kept = tail.lastIndex(of: 10).map { $0 - tail.startIndex + 1 } ?? 0
        let end = length - UInt64(tail.count - kept)
        try handle.truncate(atOffset: end)
        return end
    }

    private static func holds(_ delivery: String, _ handle: FileHandle, end: UInt64) throws -> Bool {
        try tail(handle, end: end).range(of: Data("\"delivery\":\"\(delivery)\"".utf8)) != nil
    }

    private static func tail(_ handle: FileHandle, end: UInt64) throws -> Data {
        let start = end > window ? end - window : 0
        try handle.seek(toOffset: start)
        return try handle.read(upToCount: Int(end - start)) ?? Data()
    }
}

/// A file that could not be written, for an operator.
struct FileProblem: Error, CustomStringConvertible, Hashable {
    var path: String
    var problem: String

    init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    init(path: String, code: Int32) {
        self.path = path
        problem = String(cString: strerror(code))
    }

    var description: String { "\(path): \(problem)" }
}
