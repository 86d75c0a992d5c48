import Bus
import Foundation
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Reads `authorized_keys` and reads it again when it has changed, on a thread of its own.
final class KeyWatch: Sendable {
    private struct State {
        var authority: Authority
        var generation = 0
        var listeners: [Wakeup] = []
    }

    /// What tells one version of the file from another.
    private struct Mark: Equatable {
        var inode: UInt64
        var size: Int64
        var modified: [Int]

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            // The time of the last change of the inode cannot be set by a copy that keeps times.
            modified = [
                status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ]
        }
    }

    /// Half of what a change may take to count, which is a second at most.
    static let pause = Duration.milliseconds(300)

    private let file: String?
    private let logger: Logger
    private let state: Mutex<State>
    private let wakeup: Wakeup
    private let isStopping = Mutex(false)
    private let firstMark: Mark?

    /// - Parameter file: `nil` for a local bus.
    init(file: String?, logger: Logger) throws(BusError) {
        self.file = file
        self.logger = logger
        wakeup = try Wakeup()
        // The mark before the text: a change in between is found by the next look.
        firstMark = file.flatMap { Mark($0) }
        state = Mutex(State(authority: file.map { Self.read($0, logger) } ?? .local))
    }

    /// Grows with each change of ``authority``.
    var generation: Int { state.withLock { $0.generation } }
    var authority: Authority { state.withLock { $0.authority } }

    func tell(_ listener: Wakeup) { state.withLock { $0.listeners.append(listener) } }

    func stop() {
        isStopping.withLock { $0 = true }
        wakeup.wake()
    }

    func run() {
        guard let file else { return }
        var mark = firstMark
        var poll = PollSet()
        poll.add(wakeup)
        while !isStopping.withLock({ $0 }) {
            poll.wait(Self.pause)
            let now = Mark(file)
            guard now != mark else { continue }
            mark = now
            adopt(Self.read(file, logger))
        }
    }

    private func adopt(_ authority: Authority) {
        let listeners = state.withLock { state -> [Wakeup] in
            guard state.authority != authority else { return [] }
            state.authority = authority
            state.generation += 1
            return state.listeners
        }
        for listener in listeners { listener.wake() }
    }

    private static func read(_ file: String, _ logger: Logger) -> Authority {
        let keys = AuthorizedKeys(reading: file)
        for problem in keys.problems.prefix(20) { logger.error("\(problem)") }
        if keys.problems.count > 20 { logger.error("\(file): \(keys.problems.count - 20) more mistakes") }
        logger.notice("authorized keys were read", metadata: ["file": "\(file)", "keys": "\(keys.entries.count)"])
        return Authority(keys)
    }
}
