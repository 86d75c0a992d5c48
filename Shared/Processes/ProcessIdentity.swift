import Foundation
import Glibc

/// Which process, and not merely which number: pids are used again, start times within one boot are not.
package struct ProcessIdentity: Sendable, Hashable, Codable {
    package let pid: Int32
    /// Clock ticks after boot, from `/proc/<pid>/stat`.
    package let startTime: UInt64
    /// The kernel's boot id: after a reboot the same pid and ticks are somebody else.
    package let boot: String

    package init(pid: Int32, startTime: UInt64, boot: String = ProcessIdentity.currentBoot) {
        self.pid = pid
        self.startTime = startTime
        self.boot = boot
    }

    /// The process that has this pid now; `nil` when there is none, or only its remains.
    package init?(pid: Int32) {
        guard let stat = ProcessStat(pid: pid), !stat.hasEnded else { return nil }
        self.init(pid: pid, startTime: stat.startTime)
    }

    package var isAlive: Bool {
        guard boot == Self.currentBoot, let stat = ProcessStat(pid: pid) else { return false }
        return stat.startTime == startTime && !stat.hasEnded
    }

    var isSessionLeader: Bool { ProcessStat(pid: pid)?.session == pid }

    package static let currentBoot: String = {
        let text = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }()
}

/// The line `/proc/<pid>/stat`, as far as we use it.
struct ProcessStat: Equatable {
    let pid: Int32
    let state: Character
    let group: Int32
    let session: Int32
    let startTime: UInt64

    /// A zombie holds its number until its parent looks; it runs no more.
    var hasEnded: Bool { state == "Z" || state == "X" }

    init?(pid: Int32) {
        guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        self.init(line: line)
    }

    init?(line: String) {
        // The second field is the program's name in parentheses, and a name may hold spaces and parentheses.
        guard let pid = Int32(line.prefix { $0 != " " }), let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, let group = Int32(fields[2]),
            let session = Int32(fields[3]), let startTime = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        self.state = state
        self.group = group
        self.session = session
        self.startTime = startTime
    }
}

/// What `/proc` lists.
package enum ProcessTable {
    static func pids() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap(Int32.init)
    }

    /// The living members of a process group.
    static func members(ofGroup group: Int32) -> [Int32] {
        pids().filter { pid in
            guard let stat = ProcessStat(pid: pid) else { return false }
            return stat.group == group && !stat.hasEnded
        }
    }

    static func carries(_ pid: Int32, _ name: String, _ value: String) -> Bool {
        guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
        return environment.split(separator: 0).contains(Data("\(name)=\(value)".utf8))
    }

    /// Living processes that were started with `name=value` in their environment, session leaders first.
    ///
    /// Children inherit the marker, so the one that we spawned stands in front. Other users' processes are not seen.
    package static func find(environment name: String, is value: String) -> [ProcessIdentity] {
        let found = pids().compactMap { pid -> ProcessStat? in
            guard carries(pid, name, value), let stat = ProcessStat(pid: pid), !stat.hasEnded else { return nil }
            return stat
        }
        let leaders = found.filter { $0.session == $0.pid }
        let others = found.filter { $0.session != $0.pid }
        return (leaders + others).map { ProcessIdentity(pid: $0.pid, startTime: $0.startTime) }
    }
}
