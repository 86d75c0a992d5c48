import Foundation
import Logging
import Messages
import Store
import Synchronization
import Testing

@testable import ServiceKit

@Suite(.timeLimit(.minutes(2))) struct EffectRunnerTests {
    @Test func `a kind of effect that hangs keeps no other waiting`() async throws {
        let folder = NSTemporaryDirectory() + "martlet-effects-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try StateStore.open(path: folder + "/state.sqlite", source: .notifier) { _ in }
        func settled(_ kind: String) async throws {
            let ever = Timestamp(milliseconds: .max)
            while try await !store.dueIntents(at: ever, kinds: [kind], limit: 1).due.isEmpty {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        try await store.write { transaction in
            for number in 0..<20 { try transaction.intend("hang", id: "\(number)", payload: number) }
        }
        let gate = Task { _ = try? await Task.sleep(for: .seconds(3600)) }
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let signal = WakeSignal()
        let runner = EffectRunner(
            effects: [
                "hang": { _ in
                    begin.yield()
                    await gate.value
                    return .done { _ in }
                },
                "quick": { _ in .done { _ in } },
            ], store: store, clock: .system, signal: signal, logger: Logger(label: "test"))
        let running = Task { await runner.run() }
        defer { running.cancel() }
        var beginnings = begun.makeAsyncIterator()
        for _ in 0..<16 { await beginnings.next() }
        try await store.write { try $0.intend("quick", id: "1", payload: 1) }
        signal.wake()
        try await settled("quick")
        gate.cancel()
        try await settled("hang")
    }

    @Test func `an effect is carried out, though the clock was set back by an hour before it was begun`() async throws {
        let folder = NSTemporaryDirectory() + "martlet-effects-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let time = Mutex(Timestamp(milliseconds: 1_800_000_000_000))
        let clock = WallClock { time.withLock { $0 } }
        let store = try StateStore.open(path: folder + "/state.sqlite", source: .notifier, clock: clock) { _ in }
        try await store.write { try $0.intend("quick", id: "1", payload: 1) }
        time.withLock { $0 = $0.advanced(by: .seconds(-3600)) }
        let runner = EffectRunner(
            effects: ["quick": { _ in .done { _ in } }], store: store, clock: clock, signal: WakeSignal(),
            logger: Logger(label: "test"))
        let running = Task { await runner.run() }
        defer { running.cancel() }
        let ever = Timestamp(milliseconds: .max)
        while try await !store.dueIntents(at: ever, kinds: ["quick"], limit: 1).due.isEmpty {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
