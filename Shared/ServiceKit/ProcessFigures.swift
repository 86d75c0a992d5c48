import Foundation
import Glibc

/// How this process stands, under the names that Prometheus's own clients use.
enum ProcessFigures {
    private static let began = Date().timeIntervalSince1970

    static func add(to metrics: MetricsRegistry) {
        metrics.set("process_resident_memory_bytes", "Resident memory size in bytes.", to: resident)
        metrics.set("process_open_fds", "Number of open file descriptors.", to: descriptors)
        metrics.set(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", to: began)
        metrics.total(
            "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", is: processor)
    }

    private static var resident: Double {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static var descriptors: Double {
        Double((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0)
    }

    private static var processor: Double {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
