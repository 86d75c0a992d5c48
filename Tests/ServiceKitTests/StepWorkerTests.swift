import Artifacts
import Bus
import Foundation
import Logging
import Messages
import Store
import Testing

@testable import EventBus
@testable import ServiceKit

extension StepWorker {
    /// Keeps this actor busy: what comes meanwhile waits in its order.
    fileprivate func hold(seconds: Double, begun: @Sendable () -> Void) {
        begun()
        Thread.sleep(forTimeInterval: seconds)
    }
}

/// A trigger-service that grants one step after the other, each of them anew while its end is being told.
private actor Grants {
    static let steps = 5

    private(set) var told: [String] = []
    private let worker: StepWorker
    private let end: @Sendable () -> Void
    private var step = 1
    private var open: [StepWork] = []
    private var claim: CheckedContinuation<StepWork?, Never>?

    init(to worker: StepWorker, end: @escaping @Sendable () -> Void) {
        self.worker = worker
        self.end = end
        open = [work(1, token: 1)]
    }

    nonisolated var handlers: [String: RequestHandler] {
        [
            "session.open": { _ in reply(SessionOpened(session: "session", ttl: 30)) },
            "session.keepalive": { _ in reply(SessionKept(ttl: 30, canceled: [])) },
            "claim": { [self] _ in
                guard let work = await next() else { return BusReply(status: 204) }
                return reply(Claimed(items: [work]))
            },
            "complete": { [self] request in
                guard let params = try? Wire.decode(CompleteParams.self, from: try Wire.encode(request.params)) else {
                    return .refused(400, "no params of 'complete'")
                }
                return await complete(params)
            },
        ]
    }

    /// Leaves the worker's claim without a step.
    func stop() {
        claim?.resume(returning: nil)
        claim = nil
    }

    private func next() async -> StepWork? {
        if !open.isEmpty { return open.removeFirst() }
        stop()
        return await withCheckedContinuation { claim = $0 }
    }

    private func grant(_ work: StepWork) {
        guard let claim else { return open.append(work) }
        self.claim = nil
        claim.resume(returning: work)
    }

    private func complete(_ params: CompleteParams) async -> BusReply {
        told.append("\(params.item) \(params.token)")
        guard params.token == 1 else {
            step += 1
            if step <= Self.steps { grant(work(step, token: 1)) } else { end() }
            return reply(Accepted())
        }
        await keepWorkerBusy()
        // The worker gets the refusal and then the grant, and looks at both when it is no longer busy. Where they come
        // late nothing is proven, and nothing fails.
        let again = work(step, token: 2)
        Task {
            try? await Task.sleep(for: .milliseconds(20))
            self.grant(again)
        }
        return .refused(409, "the step is granted anew")
    }

    private func keepWorkerBusy() async {
        await withCheckedContinuation { (begun: CheckedContinuation<Void, Never>) in
            Task { [worker] in await worker.hold(seconds: 0.2) { begun.resume() } }
        }
    }
}

private func reply(_ params: some Encodable) -> BusReply {
    do { return try .ok(encoding: params) } catch { return .refused(500, "\(error)") }
}

private func work(_ step: Int, token: Int64) -> StepWork {
    StepWork(
        item: "step-\(step)", token: token, job: "job", step: "step", attempt: 1, verb: "test/do", with: [:],
        variables: [:], timeoutSeconds: nil,
        run: RunReference(
            id: "run", number: 1, url: "", project: "p", pipeline: "ci", git: nil, snapshot: nil, model: nil),
        after: [], checkpoint: nil, causation: .first(actor: "user:ada"))
}

/// A trigger-service that grants one step, and cannot read what came of it.
private actor Refusals {
    private(set) var told: [StepResult] = []
    private var isGranted = false
    private let end: @Sendable () -> Void

    init(end: @escaping @Sendable () -> Void) { self.end = end }

    nonisolated var handlers: [String: RequestHandler] {
        [
            "session.open": { _ in reply(SessionOpened(session: "session", ttl: 30)) },
            "session.keepalive": { _ in reply(SessionKept(ttl: 30, canceled: [])) },
            "claim": { [self] _ in
                if await grant() { return reply(Claimed(items: [work(1, token: 1)])) }
                try? await Task.sleep(for: .milliseconds(100))
                return BusReply(status: 204)
            },
            "complete": { [self] request in
                guard let params = try? Wire.decode(CompleteParams.self, from: try Wire.encode(request.params)) else {
                    return .refused(500, "no params of 'complete'")
                }
                return await complete(params.result)
            },
        ]
    }

    private func grant() -> Bool {
        defer { isGranted = true }
        return !isGranted
    }

    private func complete(_ result: StepResult) -> BusReply {
        told.append(result)
        if result.outcome == .succeeded { return .refused(400, "its outputs cannot be read") }
        end()
        return reply(Accepted())
    }
}

/// A worker, and at the other end of a real bus a trigger-service that a test plays.
private struct Workplace {
    let folder = "/tmp/mw-\(UUID().uuidString.prefix(8))"
    let far: BusConnection
    let worker: StepWorker
    private let bus: BusServer
    private let near: BusConnection
    private let store: StateStore

    init() async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let address = try BusAddress.embedded(in: folder + "/bus")
        bus = try BusServer(address: address, metrics: MetricsRegistry(), logger: logger)
        try await bus.start()
        near = BusConnection(address: address, logger: logger)
        far = BusConnection(address: address, logger: logger)
        try near.start()
        try far.start()
        let paths = DataPaths(root: folder)
        store = try StateStore.open(path: folder + "/state.sqlite", source: .evaluator) { _ in }
        let context = ServiceContext(
            source: .evaluator, store: store, bus: near, artifacts: ArtifactStore(root: folder + "/artifacts"),
            secrets: Secrets(paths: paths), paths: paths, logger: logger)
        worker = StepWorker(
            verbs: [.transactional(["test/do"]) { _, _ in StepResult(.succeeded) }], name: "worker", slots: 2,
            context: context, positions: PositionTracker(followed: []))
    }

    func close() async throws {
        await near.shutdown()
        await far.shutdown()
        await bus.stop()
        try store.close()
        try FileManager.default.removeItem(atPath: folder)
    }
}

@Suite(.timeLimit(.minutes(1))) struct StepWorkerTests {
    @Test func `a step that is granted anew while its end is being told is told to that grant`() async throws {
        let workplace = try await Workplace()
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let grants = Grants(to: workplace.worker) { end.finish() }
        workplace.far.serve(as: .triggerService, grants.handlers)
        let working = Task { [worker = workplace.worker] in await worker.run() }
        for await _ in ended {}
        // Without the second word the step would stay with a session that knows nothing of it, and no other would come.
        #expect(await grants.told == (1...Grants.steps).flatMap { ["step-\($0) 1", "step-\($0) 2"] })
        working.cancel()
        await grants.stop()
        await working.value
        try await workplace.close()
    }

    @Test func `what came of a step and can never be told is told as a failure with the reason`() async throws {
        let workplace = try await Workplace()
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let refusals = Refusals { end.finish() }
        workplace.far.serve(as: .triggerService, refusals.handlers)
        let working = Task { [worker = workplace.worker] in await worker.run() }
        for await _ in ended {}
        let told = await refusals.told
        #expect(told.map(\.outcome) == [.succeeded, .failed])
        #expect(told.last?.message?.hasSuffix("complete was answered with 400: its outputs cannot be read") == true)
        working.cancel()
        await working.value
        try await workplace.close()
    }
}
