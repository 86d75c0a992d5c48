import Foundation
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#endif

/// Gives back what only the start needed: more than half of an idle service's resident memory is program text that ran
/// once, to link, to migrate and to open doors, and tables that only the loader read.
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
        #if os(Linux)
            // A library that is just being loaded has pages that are about to be written: what is not there since before
            // the pause is left alone.
            let before = Set(unchangedSegments())
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            for segment in unchangedSegments() where before.contains(segment) {
                guard let start = UnsafeMutableRawPointer(bitPattern: segment.lowerBound) else { continue }
                madvise(start, Int(segment.upperBound - segment.lowerBound), MADV_DONTNEED)
            }
        #endif
    }

    private static func unchangedSegments() -> [Range<UInt>] {
        (try? String(contentsOfFile: "/proc/self/smaps", encoding: .utf8)).map(unchangedSegments) ?? []
    }

    /// Segments that a file backs, that cannot be written, and of which no page is the process's own: the only ones that are
    /// the same when they are read again. (Where the loader has put addresses into read-only data, it is not.)
    static func unchangedSegments(in smaps: String) -> [Range<UInt>] {
        var segments: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in smaps.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count >= 5, let range = range(words[0]) {
                let isBacked = words.count >= 6 && words[5].hasPrefix("/")
                candidate = isBacked && ["r-xp", "r--p"].contains(words[1]) ? range : nil
            } else if words.count == 3, words[0] == "Anonymous:", let found = candidate {
                if words[1] == "0" { segments.append(found) }
                candidate = nil
            }
        }
        return segments
    }

    /// `5581…-5582…`, in hexadecimal digits.
    private static func range(_ text: Substring) -> Range<UInt>? {
        let ends = text.split(separator: "-").compactMap { UInt($0, radix: 16) }
        return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
    }
}
