import Foundation

/// Tells cheaply whether the branches and tags of a repository on this machine may have moved since they were last read.
///
/// git renames a lock file into place for each change, so the time of the file and of its folder move. A file system
/// counts time in ticks: a second change within the tick of the first is seen because git is asked once more after
/// each difference, before the fingerprint is trusted.
struct LocalReferences: Sendable {
    private var last: [String: Int64]?
    private var settled = false

    /// Whether git has to be asked; notes what was seen.
    mutating func mayHaveMoved(in path: String) -> Bool {
        let now = Self.fingerprint(path)
        defer { last = now }
        guard let now, now == last else {
            settled = false
            return true
        }
        defer { settled = true }
        return !settled
    }

    /// Modification times in nanoseconds of everything that says where branches point; `nil` when it cannot be told.
    private static func fingerprint(_ path: String) -> [String: Int64]? {
        let folder = modified(path + "/.git") != nil ? path + "/.git" : path
        // A linked work tree keeps its branches elsewhere, and the reftable format keeps them in other files.
        guard modified(folder + "/HEAD") != nil, modified(folder + "/refs/heads") != nil,
            modified(folder + "/reftable") == nil
        else { return nil }
        var times: [String: Int64] = [:]
        for name in ["HEAD", "packed-refs", "refs/heads", "refs/tags"] {
            times[name] = modified(folder + "/" + name) ?? 0
        }
        for kind in ["refs/heads", "refs/tags"] {
            for name in FileManager.default.enumerator(atPath: "\(folder)/\(kind)") ?? .init() {
                guard let name = name as? String else { continue }
                times["\(kind)/\(name)"] = modified("\(folder)/\(kind)/\(name)") ?? 0
                if times.count > 10_000 { return nil }
            }
        }
        return times
    }

    private static func modified(_ path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}
