import Foundation

/// A file that a process writes to for as long as it lives.
package enum GrowingLog {
    /// Empties one that has more than `most` bytes; what it held is kept beside it, with `.1` at its name's end.
    ///
    /// Its process goes on writing into the empty file, because outputs of processes are opened to be appended to. What
    /// it writes in the moment between may be missing.
    /// - Returns: whether it was emptied.
    @discardableResult
    package static func trim(_ path: String, over most: Int) -> Bool {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        guard size > most else { return false }
        let older = path + ".1"
        try? FileManager.default.removeItem(atPath: older)
        // Where the disk is full there is no copy: then what is old is lost, rather than all that is to come.
        try? FileManager.default.copyItem(atPath: path, toPath: older)
        return truncate(path, 0) == 0
    }
}
