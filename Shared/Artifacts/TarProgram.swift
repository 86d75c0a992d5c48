import Foundation

/// GNU tar. Blocking: only for the store's own queue.
enum TarProgram {
    /// What it printed.
    static func run(_ arguments: [String]) throws -> String {
        let places: [String] = ["/usr/bin/tar", "/bin/tar"]
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else {
            throw ArtifactError.tar("not installed; install GNU tar")
        }
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-tar-\(UUID().uuidString)")
        try DurableFile(creating: errors.path).synchronize()
        defer { unlink(errors.path) }

        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: program)
        tar.arguments = arguments
        tar.environment = ["LC_ALL": "C", "PATH": "/usr/bin:/bin"]
        let output = Pipe()
        tar.standardInput = FileHandle.nullDevice
        tar.standardOutput = output
        // A file, not a second pipe: two pipes read one after the other can block each other.
        tar.standardError = try FileHandle(forWritingTo: errors)
        try tar.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        tar.waitUntilExit()
        guard tar.terminationStatus == 0 else {
            let message = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
            throw ArtifactError.tar(message.split(separator: "\n").suffix(3).joined(separator: "; "))
        }
        return String(decoding: printed, as: UTF8.self)
    }
}
