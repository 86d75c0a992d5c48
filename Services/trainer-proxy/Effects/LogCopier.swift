import Artifacts
import Foundation
import Processes

/// Copies what a process writes into the step's live log, line by line and masked.
///
/// The process writes to a file of its own, so it neither waits for us nor ends with us. After a restart the log is made
/// again from the file's beginning, and what the live log already holds is left out.
actor LogCopier {
    private let path: String
    private let live: LiveLog
    private var lines: LogLines
    private var file: FileHandle?
    private var written: Int
    private var teller: StepTeller

    /// Says that the raw file's beginning was given back to the disk, so the log cannot be made again from it.
    private var cutMarker: String { path + ".cut" }

    init(path: String, live: LiveLog, mask: LogMask, limit: Int, teller: StepTeller) {
        self.path = path
        self.live = live
        self.teller = teller
        let size = (try? FileManager.default.attributesOfItem(atPath: live.path)[.size]) as? Int
        let isCut = FileManager.default.fileExists(atPath: path + ".cut")
        lines = LogLines(mask: mask, limit: limit, isCut: isCut)
        written = isCut ? 0 : size ?? 0
        file = nil
    }

    /// Follows the file until the task is canceled.
    func follow() async throws {
        var pause = Duration.milliseconds(10)
        while !Task.isCancelled {
            pause = try await copy() ? .milliseconds(10) : min(pause * 2, .milliseconds(250))
            teller.tell()
            try? await Task.sleep(for: pause)
        }
    }

    /// Copies what is left and ends the log.
    ///
    /// - Returns: its last lines.
    func finish(notice: String?) async throws -> [String] {
        while try await copy() {}
        try await add(lines.finish(notice: notice))
        teller.tell(isLast: true)
        return lines.tail
    }

    private func copy() async throws -> Bool {
        if file == nil {
            file = FileHandle(forReadingAtPath: path)
            if lines.isCut { try file?.seekToEnd() }
        }
        guard let file, let bytes = try file.read(upToCount: 1 << 20), !bytes.isEmpty else { return false }
        let wasCut = lines.isCut
        try await add(lines.feed(bytes))
        if lines.isCut {
            if !wasCut { _ = FileManager.default.createFile(atPath: cutMarker, contents: nil) }
            RawOutput.discard(firstBytes: Int64(try file.offset()), of: path)
        }
        return true
    }

    private func add(_ bytes: Data) async throws {
        let known = min(written, bytes.count)
        written -= known
        guard bytes.count > known else { return }
        let gained = Data(bytes.dropFirst(known))
        try await live.append(gained)
        teller.gained(gained)
    }
}
