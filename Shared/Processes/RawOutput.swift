import CProcess
import Glibc

/// The file that a detached process appends its output to.
package enum RawOutput {
    /// Gives the space of the first bytes back to the disk, while the process goes on writing behind them.
    ///
    /// - Returns: `false` where the file system cannot; nothing is lost then but the space.
    @discardableResult
    package static func discard(firstBytes length: Int64, of path: String) -> Bool {
        cprocess_discard(path, off_t(length)) == 0
    }
}
