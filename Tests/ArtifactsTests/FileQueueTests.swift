import Testing

@testable import Artifacts

private func isInTask() -> Bool { withUnsafeCurrentTask { $0 != nil } }

struct FileQueueTests {
    private struct Broken: Error {}

    @Test func `what takes long runs on no thread of a task, and its answer or error comes back`() async throws {
        let queue = FileQueue()
        #expect(isInTask())
        let isThere = try await queue.run { isInTask() }
        #expect(!isThere)
        await #expect(throws: Broken.self) { try await queue.run { () throws -> Void in throw Broken() } }
    }
}
