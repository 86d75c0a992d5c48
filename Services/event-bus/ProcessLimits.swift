import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the whole process may take.
enum ProcessLimits {
    struct TooMuchMemory: Error, CustomStringConvertible {
        var used: Int
        var limit: Int

        var description: String {
            "the bus uses \(used >> 20) MiB of at most \(limit >> 20); it ends, to be started again: nothing is lost by that"
        }
    }

    private static let mostDescriptors: rlim_t = 65_536

    /// Every connection takes one; the usual 1,024 are soon used up by somebody who only connects.
    static func raiseDescriptors() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, mostDescriptors)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// libzmq bounds messages and queues, but not a message of frames without end (bus.md 1).
    /// - Throws: ``TooMuchMemory``; a restart of the bus is a matter of milliseconds and loses nothing.
    static func watchMemory(limit: Int) async throws {
        while !Task.isCancelled {
            if let used = residentBytes(), used > limit { throw TooMuchMemory(used: used, limit: limit) }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private static func residentBytes() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map {
            $0 * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
    }
}
