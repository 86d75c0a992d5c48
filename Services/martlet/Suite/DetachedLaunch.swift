import Foundation
import Processes
import ServiceKit

/// Starts `martlet up` in a session of its own and waits until it is ready.
struct DetachedLaunch {
    var paths: DataPaths
    var timeout: Duration

    func run(arguments: [String]) async throws -> SuiteRecord {
        // Only the lock tells whether one runs; the child takes it for itself, so it is let go at once.
        guard try SuiteLock.acquire(paths) != nil else { throw UpText.alreadyRunning(paths) }
        let log = ServiceLog(path: SuiteRecord.logPath(paths))
        log.rotate()
        let offset = log.size
        let process = try DetachedProcess.spawn(
            ProcessRequest(
                argv: [try Executables.own()] + arguments, environment: ProcessInfo.processInfo.environment,
                directory: paths.root, output: log.path))
        let deadline = ContinuousClock.now.advanced(by: timeout)
        while ContinuousClock.now < deadline {
            if process.end != nil {
                let said = log.lastLines(from: offset, count: 6).joined(separator: "\n")
                throw Failure(said.hasPrefix("Error: ") ? String(said.dropFirst("Error: ".count)) : said)
            }
            if let record = SuiteRecord.read(paths), record.pid == process.identity.pid, record.state == "ready" {
                return record
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("martlet up is not ready in time", hint: "see \(log.path); 'martlet down' ends it")
    }
}
