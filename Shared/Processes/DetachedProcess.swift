import CProcess
import Dispatch
import Glibc
import Synchronization

/// A process in a session of its own, which goes on when we end; ours, or one found again after a restart.
///
/// A child is reaped as soon as it ends, whether somebody waits or not.
package final class DetachedProcess: Sendable {
    package let identity: ProcessIdentity
    private let exitRecord: ExitRecord?
    /// Only who spawned a child takes its end: whoever else watches it would take it away.
    private let isChild: Bool
    private let state: Mutex<State>

    private struct State {
        var end: ProcessEnd?
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private init(identity: ProcessIdentity, exitRecord: ExitRecord?, isChild: Bool) {
        self.identity = identity
        self.isChild = isChild
        self.exitRecord = exitRecord
        self.state = Mutex(State())
    }

    package static func spawn(_ request: ProcessRequest) throws(ProcessError) -> DetachedProcess {
        let pid = try request.start()
        // Not reaped yet, so its entry in /proc is there even if it has already ended.
        let startTime = ProcessStat(pid: pid)?.startTime ?? 0
        let identity = ProcessIdentity(pid: pid, startTime: startTime)
        let process = DetachedProcess(identity: identity, exitRecord: request.exitRecord, isChild: true)
        do {
            try process.watch()
        } catch {
            // Nobody would ever hear of it: better none than one that runs unseen.
            kill(-pid, SIGKILL)
            throw error
        }
        return process
    }

    /// Finds a process again; `nil` when it runs no more (then `exitRecord` knows how it ended).
    package static func attach(
        to identity: ProcessIdentity, exitRecord: ExitRecord? = nil
    ) throws(ProcessError) -> DetachedProcess? {
        guard identity.isAlive else { return nil }
        let process = DetachedProcess(identity: identity, exitRecord: exitRecord, isChild: false)
        do {
            try process.watch()
        } catch {
            // It may end between the look and the watch.
            guard identity.isAlive else { return nil }
            throw error
        }
        // The pid may have changed hands before the descriptor was opened; the descriptor stays with one process.
        return identity.isAlive || process.end != nil ? process : nil
    }

    /// Set once it has ended.
    package var end: ProcessEnd? { state.withLock { $0.end } }

    /// Returns when the process has ended, at once if it has already.
    /// - Throws: `CancellationError` when the waiting task is canceled; the process goes on.
    package func wait() async throws -> ProcessEnd {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    if state.end != nil || Task.isCancelled { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
        guard let end else { throw CancellationError() }
        return end
    }

    private func watch() throws(ProcessError) {
        let descriptor = cprocess_pidfd_open(identity.pid)
        guard descriptor >= 0 else {
            throw .notWatched(pid: identity.pid, reason: String(cString: strerror(errno)))
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setCancelHandler { close(descriptor) }
        // The handler keeps the source and this object until the end, so that a child is reaped even if nobody holds it.
        source.setEventHandler {
            source.cancel()
            self.finish()
        }
        source.activate()
    }

    private func finish() {
        var status: Int32 = 0
        let reaped = isChild && cprocess_reap(identity.pid, &status) == 1
        // The recorded code is the command's own; the wait status is the wrapper's.
        let recorded = exitRecord?.code.map(ProcessEnd.code)
        let end = recorded ?? (reaped ? ProcessEnd(waitStatus: status) : .unknown)
        let waiting = state.withLock { state in
            state.end = end
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }
}
