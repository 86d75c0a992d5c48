import Foundation
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#endif

/// Gives back what only the start needed: more than half of an idle service's resident memory is program text that ran
/// once, to link, to migrate and to open doors.
///
/// The pages stay in the page cache; what is needed after all comes back from there by minor faults.
package struct StartUpMemory: ServiceLifecycle.Service {
    package init() {}

    package func run() async throws {
        await cancelWhenGracefulShutdown { await Self.release() }
        try? await gracefulShutdown()
    }

    /// - Parameter pause: long enough for the first connections, heartbeats and look-ups: they belong to the start too.
    package static func release(after pause: Duration = .seconds(5)) async {
        guard (try? await Task.sleep(for: pause)) != nil else { return }
        #if os(Linux)
            guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return }
            for text in textSegments(in: maps) {
                guard let start = UnsafeMutableRawPointer(bitPattern: text.lowerBound) else { continue }
                madvise(start, Int(text.upperBound - text.lowerBound), MADV_DONTNEED)
            }
        #endif
    }

    /// Executable segments that are backed by a file and cannot be written: the only ones whose pages are the same when
    /// they are read again. (Read-only data is not: the loader has put addresses into it.)
    static func textSegments(in maps: String) -> [Range<UInt>] {
        maps.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 6, words[1] == "r-xp", words[5].hasPrefix("/") else { return nil }
            let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < ends[1] else { return nil }
            return ends[0]..<ends[1]
        }
    }
}
