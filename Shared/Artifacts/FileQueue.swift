import Foundation

/// Runs blocking file work away from Swift's own threads, which must never wait.
package struct FileQueue: Sendable {
    private let queue = DispatchQueue(label: "dev.martlet.artifacts", attributes: .concurrent)

    package init() {}

    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
