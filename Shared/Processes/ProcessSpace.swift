import Foundation

/// Which processes can be seen from here: those of this machine, or of this container.
///
/// A container's processes end with it, and no number outside of it means them.
package enum ProcessSpace {
    /// The same for everybody who sees the same processes; another one after the container was started again.
    package static let current: String = {
        let names = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
        // The number of a namespace may be given again; its first process tells one from the next.
        let number = names.filter(\.isNumber)
        return "\(number.isEmpty ? "0" : number)-\(ProcessStat(pid: 1)?.startTime ?? 0)"
    }()
}
