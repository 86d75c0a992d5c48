import Foundation

/// Runs what waits for files, or computes for long, away from Swift's own threads, which must never be kept.
package struct FileQueue: Sendable {
    private let queue = DispatchQueue(label: "dev.martlet.artifacts", attributes: .concurrent)

    package init() {}

    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
