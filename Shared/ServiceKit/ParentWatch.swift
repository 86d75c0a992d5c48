import Foundation
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Ends the service when the suite that started it is gone, so that no orphan holds its locks and ports.
package struct ParentWatch: ServiceLifecycle.Service {
    private let parent: Int32

    package init(parent: Int32) { self.parent = parent }

    package func run() async throws {
        try await untilShutdown {
            while getppid() == parent { try await Task.sleepToWholeSecond() }
        }
    }
}
