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
        open = [Self.work(1, token: 1)]
    }

    nonisolated var handlers: [String: RequestHandler] {
        [
            "session.open": { _ in Self.reply(SessionOpened(session: "session", ttl: 30)) },
            "session.keepalive": { _ in Self.reply(SessionKept(ttl: 30, canceled: [])) },
            "claim": { [self] _ in
                guard let work = await next() else { return BusReply(status: 204) }
                return Self.reply(Claimed(items: [work]))
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
            if step <= Self.steps { grant(Self.work(step, token: 1)) } else { end() }
            return Self.reply(Accepted())
        }
        await keepWorkerBusy()
        // The worker gets the refusal and then the grant, and looks at both when it is no longer busy. Where they come
        // late nothing is proven, and nothing fails.
        let again = Self.work(step, token: 2)
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

    private static func reply(_ params: some Encodable) -> BusReply {
        do { return try .ok(encoding: params) } catch { return .refused(500, "\(error)") }
    }

    private static func work(_ step: Int, token: Int64) -> StepWork {
        StepWork(
            item: "step-\(step)", token: token, job: "job", step: "step", attempt: 1, verb: "test/do", with: [:],
            variables: [:], timeoutSeconds: nil,
            run: RunReference(
                id: "run", number: 1, url: "", project: "p", pipeline: "ci", git: nil, snapshot: nil, model: nil),
            after: [], checkpoint: nil, causation: .first(actor: "user:ada"))
    }
}

@Suite(.timeLimit(.minutes(1))) struct StepWorkerTests {
    @Test func `a step that is granted anew while its end is being told is told to that grant`() async throws {
        let folder = "/tmp/mw-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let address = try BusAddress.embedded(in: folder + "/bus")
        let bus = try BusServer(address: address, metrics: MetricsRegistry(), logger: logger)
        try await bus.start()
        let near = BusConnection(address: address, logger: logger)
        let far = BusConnection(address: address, logger: logger)
        try near.start()
        try far.start()
        let paths = DataPaths(root: folder)
        let store = try StateStore.open(path: folder + "/state.sqlite", source: .evaluator) { _ in }
        let context = ServiceContext(
            source: .evaluator, store: store, bus: near, artifacts: ArtifactStore(root: folder + "/artifacts"),
            secrets: Secrets(paths: paths), paths: paths, logger: logger)
        let worker = StepWorker(
            verbs: [.transactional(["test/do"]) { _, _ in StepResult(.succeeded) }], name: "worker", slots: 2,
            context: context, positions: PositionTracker(followed: []))
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let grants = Grants(to: worker) { end.finish() }
        far.serve(as: .triggerService, grants.handlers)
        let working = Task { await worker.run() }
        for await _ in ended {}
        // Without the second word the step would stay with a session that knows nothing of it, and no other would come.
        #expect(await grants.told == (1...Grants.steps).flatMap { ["step-\($0) 1", "step-\($0) 2"] })
        working.cancel()
        await grants.stop()
        await working.value
        await near.shutdown()
        await far.shutdown()
        await bus.stop()
        try store.close()
    }
}
