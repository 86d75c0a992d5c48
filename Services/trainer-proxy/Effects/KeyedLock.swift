/// One holder for each key; the others wait in order, and stop waiting when their task is canceled.
actor KeyedLock {
    private var held: Set<String> = []
    private var waiting: [String: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)]] = [:]
    private var next = 0

    func withLock<Value: Sendable>(_ key: String, _ body: @Sendable () async throws -> Value) async throws -> Value {
        guard await acquire(key) else { throw CancellationError() }
        defer { release(key) }
        return try await body()
    }

    private func acquire(_ key: String) async -> Bool {
        if held.insert(key).inserted { return true }
        next += 1
        let ticket = next
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: false) }
                waiting[key, default: []].append((ticket, continuation))
            }
        } onCancel: {
            Task { await self.giveUp(key, ticket) }
        }
    }

    private func giveUp(_ key: String, _ ticket: Int) {
        guard let index = waiting[key]?.firstIndex(where: { $0.ticket == ticket }) else { return }
        waiting[key]?.remove(at: index).continuation.resume(returning: false)
    }

    private func release(_ key: String) {
        if waiting[key]?.isEmpty == false, let first = waiting[key]?.removeFirst() {
            first.continuation.resume(returning: true)
        } else {
            waiting[key] = nil
            held.remove(key)
        }
    }
}
