import Bus
import EventLog
import Foundation
import Logging
import Messages
import Store

/// Claims steps from the trigger-service, has them worked, and completes them (bus.md 6).
///
/// One session holds all claimed steps. When the grantor loses it, a new one is opened under the same name, the steps
/// are granted again with higher tokens, and what runs here simply goes on.
actor StepWorker {
    private let verbs: [StepVerb]
    private let name: String
    private let slots: Int
    private let grantor: Grantor
    private let context: ServiceContext
    private let positions: PositionTracker
    /// Wakes `claim` of the session of now.
    private var freed = WakeSignal()

    /// The steps in work here, with the token of the newest grant.
    private var held: [String: Held] = [:]

    private struct Held {
        var token: Int64
        /// The session that the newest grant hangs on.
        var session: String
        var task: Task<Void, Never>?
    }

    init(verbs: [StepVerb], name: String, slots: Int, context: ServiceContext, positions: PositionTracker) {
        self.verbs = verbs
        self.name = name
        self.slots = slots
        self.context = context
        self.positions = positions
        grantor = Grantor(bus: context.bus)
    }

    func run() async {
        if verbs.isEmpty { return }
        while !Task.isCancelled {
            do {
                let session = try await grantor.open(worker: name, verbs: verbs.flatMap(\.verbs), slots: slots)
                await work(in: session)
                try? await Task.sleep(for: .milliseconds(50))
            } catch {
                context.logger.debug("no session with the trigger-service yet: \(error)")
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// Returns when the session is lost.
    private func work(in session: WorkerSession) async {
        // A task that is cancelled while it waits for a signal ends the signal for good: each session has its own.
        freed = WakeSignal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.keepAlive(session) }
            group.addTask { await self.claim(in: session) }
            await group.next()
            group.cancelAll()
        }
    }

    private func keepAlive(_ session: WorkerSession) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: session.interval)
            do {
                guard let canceled = try await grantor.keepAlive(session) else { return }
                for item in canceled { cancel(item) }
            } catch {
                // The grantor may be restarting: it gives every session a full TTL afterwards.
                context.logger.debug("keepalive was not answered: \(error)")
            }
        }
    }

    /// Returns when the session cannot be relied on: also after a claim without an answer, for what was granted with it
    /// would be held by a session that does not know of it.
    private func claim(in session: WorkerSession) async {
        var wakes = freed.wakes.makeAsyncIterator()
        while !Task.isCancelled {
            // What an older session held is offered anew; its slot is taken already.
            let regrants = held.values.filter { $0.session != session.id }.count
            let most = slots - held.count + regrants
            if context.store.trouble != nil {
                // What came of a step could not be stored (bus.md 7).
                try? await Task.sleep(for: .seconds(1))
                continue
            }
            guard most > 0 else {
                await wakes.next()
                continue
            }
            do {
                guard let items = try await grantor.claim(session, most: most) else { return }
                for work in items { start(work, session) }
            } catch {
                if Grantor.isFinal(error) {
                    // A new session is granted the same steps again: not at once, for each grant is told of.
                    context.logger.error("steps could not be claimed, trying again: \(error)")
                    try? await Task.sleep(for: .seconds(5))
                }
                return
            }
        }
    }

    private func start(_ work: StepWork, _ session: WorkerSession) {
        if held[work.item] != nil {
            held[work.item]?.token = work.token
            held[work.item]?.session = session.id
            return
        }
        context.metrics.count(
            "martlet_steps_claimed_total", "Steps that were claimed here, by verb.", labels: [("verb", work.verb)])
        held[work.item] = Held(token: work.token, session: session.id, task: nil)
        // Not a child task: it outlives a lost session, and is cancelled only when the step is to be canceled.
        held[work.item]?.task = Task { await self.perform(work) }
    }

    /// Steps in work here.
    var count: Int { held.count }

    /// Ends a step that a person canceled.
    func cancel(_ item: String) { held[item]?.task?.cancel() }

    private func perform(_ work: StepWork) async {
        // What the step builds on is applied; a replica that does not lead learns it from the database (ReplicaWatch).
        let began = ContinuousClock.now
        let settled = await WorkContext.$current.withValue(.step(work)) {
            await positions.wait(for: work.after)
            let settled = await settle(work)
            context.logger.info("\(work.verb) ended: \(settled.result?.outcome.rawValue ?? "without a result")")
            return settled
        }
        context.metrics.observe(
            "martlet_step_duration_seconds", "How long steps were worked here, by verb and outcome.",
            labels: [("verb", work.verb), ("outcome", settled.result?.outcome.rawValue ?? "unknown")], .now - began,
            buckets: Histogram.steps)
        // In a task of its own: also a canceled step has to tell what came of it.
        await Task { await self.complete(settled) }.value
    }

    /// Works the step unless its result is stored already, and stores it; retried until the disk takes it.
    private func settle(_ work: StepWork) async -> WorkItem {
        var unsaved: StepEnding?
        let source = context.source
        while true {
            do {
                let known = try await context.store.read { try WorkItem.fetch(work.item, of: source, in: $0) }
                if let known, known.result != nil { return known }
                if let ending = unsaved { return try await store(ending, of: work) }
                guard let verb = verbs.first(where: { $0.verbs.contains { StepWork.pattern($0, covers: work.verb) } })
                else {
                    throw StepFailure("\(context.source) does not know '\(work.verb)'")
                }
                // What was begun before a restart may still run: only its verb can end it.
                if Task.isCancelled, known == nil {
                    unsaved = StepEnding(StepResult(.canceled, message: "canceled before it began"))
                    continue
                }
                switch verb.way {
                case .transactional(let perform): return try await decide(work, perform)
                case .lasting(let perform):
                    try await context.store.write { try $0.remember(work) }
                    unsaved = await last(work, perform)
                }
            } catch let failure as StepFailure {
                unsaved = StepEnding(StepResult(.failed, outputs: failure.outputs, message: failure.description))
            } catch let error as EventTooLarge {
                unsaved = StepEnding(StepResult(.failed, message: "what came of it cannot be told: \(error)"))
            } catch {
                context.logger.error("step \(work.item) could not be stored, trying again: \(error)")
                await Self.pause(.seconds(1))
            }
        }
    }

    private func decide(
        _ work: StepWork, _ perform: @escaping @Sendable (StepWork, Transaction) throws -> StepResult
    ) async throws -> WorkItem {
        try await context.store.write { transaction in
            try transaction.settle(work) { try perform(work, $0) }
        }
    }

    private func last(
        _ work: StepWork, _ perform: @concurrent @Sendable (StepWork, StepTools) async throws -> StepEnding
    ) async -> StepEnding {
        let tools = StepTools(context: context) { [weak self] state in
            try await self?.checkpoint(work.item, state)
        }
        do {
            return try await perform(work, tools)
        } catch let failure as StepFailure {
            return StepEnding(StepResult(.failed, outputs: failure.outputs, message: failure.description))
        } catch is CancellationError {
            return StepEnding(StepResult(.canceled, message: "canceled"))
        } catch {
            return StepEnding(StepResult(.failed, message: "\(error)"))
        }
    }

    private func store(_ ending: StepEnding, of work: StepWork) async throws -> WorkItem {
        try await context.store.write { transaction in
            try transaction.settle(work) { transaction in
                try ending.commit(transaction)
                return ending.result
            }
        }
    }

    private func checkpoint(_ item: String, _ state: JSONValue) async throws {
        guard let token = held[item]?.token else { return }
        try await grantor.checkpoint(item: item, token: token, state: state)
    }

    /// Tells what came of a step, and lets go of it.
    private func complete(_ settled: WorkItem) async {
        let item = settled.work.item
        // With the last answer and not a moment later: a grant that comes in between would be of a step that is held, and
        // then of one that nobody holds, and its session would keep it for ever.
        defer {
            held[item] = nil
            freed.wake()
        }
        guard var result = settled.result else { return }
        var isWhole = true
        var delay = Duration.milliseconds(50)
        while true {
            do {
                let token = held[item]?.token ?? settled.work.token
                let accepted = try await grantor.complete(item: item, token: token, result: result, head: settled.head)
                if !accepted {
                    // Somebody else holds it now; if that is us under a newer token, that grant completes it.
                    if let newer = held[item]?.token, newer != token { continue }
                    context.logger.notice("step \(item) was lost to another worker")
                }
                return
            } catch {
                if isWhole, Grantor.isFinal(error) {
                    // It would never get through, and the step would stay with this session for ever.
                    context.logger.error("what came of step \(item) cannot be told: \(error)")
                    isWhole = false
                    result = StepResult(.failed, message: "what came of it cannot be told: \(error)", log: result.log)
                    continue
                }
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(5))
            }
        }
    }

    /// Sleeps the whole time even in a cancelled task: a canceled step still has to tell what came of it.
    private static func pause(_ duration: Duration) async {
        await Task.detached { try? await Task.sleep(for: duration) }.value
    }
}
