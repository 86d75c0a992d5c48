import Foundation
import Glibc

/// Ending a spawned process with everything that it started.
package enum ProcessGroup {
    /// Asks the group to end, and makes it after the grace; returns when none of it runs any more.
    ///
    /// - Parameters:
    ///   - identity: the group's leader, also one that has ended; `nil` where only the marker is known.
    ///   - marker: an environment variable and its value; whoever carries it belongs to the group too, also a
    ///     grandchild that went into a session of its own.
    package static func terminate(
        _ identity: ProcessIdentity?, marker: (name: String, value: String)? = nil, grace: Duration = .seconds(10)
    ) async {
        // Once asked for, a group is brought to its end whether or not the asking task is canceled.
        await Task.detached { await end(identity, marker: marker, grace: grace) }.value
    }

    private static func end(
        _ identity: ProcessIdentity?, marker: (name: String, value: String)?, grace: Duration
    ) async {
        let deadline = ContinuousClock.now.advanced(by: grace)
        var members = alive(identity, marker: marker)
        send(SIGTERM, to: members, of: identity)
        // A stopped process would not get round to ending.
        send(SIGCONT, to: members, of: identity)
        while !members.isEmpty, let watched = watch(members), await ended(watched, before: deadline) {
            members = alive(identity, marker: marker)
        }
        // A member may fork between the look and the signal.
        while !members.isEmpty {
            send(SIGKILL, to: members, of: identity)
            if let watched = watch(members) { _ = await ended(watched, before: .now.advanced(by: .seconds(1))) }
            members = alive(identity, marker: marker)
        }
    }

    private static func alive(
        _ identity: ProcessIdentity?, marker: (name: String, value: String)?
    ) -> [ProcessIdentity] {
        // ESRCH: nobody is left under that number, which spares the look at the whole table.
        var found: [ProcessIdentity] = []
        if let identity, identity.boot == ProcessIdentity.currentBoot, kill(-identity.pid, 0) == 0 || errno == EPERM {
            found = ProcessTable.members(ofGroup: identity.pid).compactMap { ProcessIdentity(pid: $0) }
            // The number may have gone to a younger group by now: then its leader is not ours, nor are its members.
            if found.contains(where: { $0.pid == identity.pid && $0 != identity }) { found = [] }
        }
        guard let marker else { return found }
        let marked = ProcessTable.find(environment: marker.name, is: marker.value)
        return found + marked.filter { !found.contains($0) }
    }

    private static func send(_ signal: Int32, to members: [ProcessIdentity], of leader: ProcessIdentity?) {
        // The whole group at once: one by one, a shell would see its child end before it hears of its own end.
        let inGroup = members.filter { member in member.isAlive && ProcessStat(pid: member.pid)?.group == leader?.pid }
        if let leader, !inGroup.isEmpty { kill(-leader.pid, signal) }
        for member in members where !inGroup.contains(member) && member.isAlive { kill(member.pid, signal) }
    }

    private static func watch(_ members: [ProcessIdentity]) -> DetachedProcess? {
        for member in members {
            if let process = try? DetachedProcess.attach(to: member) { return process }
        }
        return nil
    }

    /// `false` when the time was up first.
    private static func ended(_ process: DetachedProcess, before deadline: ContinuousClock.Instant) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await process.wait()) != nil }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }
}
