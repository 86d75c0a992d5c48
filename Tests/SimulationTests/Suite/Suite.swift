import CSimulation
import Foundation
import HTTPClient
import Messages
import Store

@testable import Console
@testable import Deployer
@testable import Evaluator
@testable import Notifier
@testable import RegistryService
@testable import ServiceKit
@testable import TrainerProxy
@testable import TriggerService

/// All six services, the console and the bus, each with its own stores, handlers, verbs and loops.
struct Suite {
    /// What is special about a seed's suite.
    struct Wishes {
        /// How many processes of a service there are, where it is not one.
        var replicas: [Source: Int] = [:]
        /// Logs are cut back to few events: whoever is away for long goes on from a snapshot.
        var keepsLittle = false
        /// Comes when the others have been at work for long.
        var late: Source?
        /// `nil`: all services.
        var only: [Source]?
    }

    static let followed: [Source: [Source]] = [
        .triggerService: [.console, .registryService, .evaluator, .trainerProxy, .deployer],
        .trainerProxy: [.triggerService, .registryService, .console],
        .evaluator: [.triggerService, .trainerProxy, .registryService, .deployer, .console],
        .registryService: [.triggerService, .trainerProxy, .evaluator, .deployer, .console],
        .deployer: [.triggerService, .registryService, .console],
        .notifier: [.triggerService, .trainerProxy, .evaluator, .registryService, .deployer, .ingest, .console],
        .console: Source.all,
    ]

    let forge = Forge()
    let machines = Machines()
    let people = People()
    let buses: [Program]
    let programs: [Source: [Program]]
    /// Those that run, in the order of the architecture page.
    let sources: [Source]

    var services: [Program] { sources.flatMap { programs[$0] ?? [] } }

    init(_ world: World, _ wishes: Wishes = Wishes()) throws {
        buses = try world.startBuses()
        sources = wishes.only ?? Source.all.filter { $0 != .ingest }
        let blank = world.chance(0.9) ? try Blank.all.get().suite : [:]
        var programs: [Source: [Program]] = [:]
        for source in sources {
            let archives = wishes.keepsLittle
            let parts = Self.parts(of: source, forge, machines, people, keepsLittle: archives)
            let migrate = Blank.suite[source] ?? { _ in }
            let delay = source == wishes.late ? world.milliseconds(3_000...12_000) : nil
            programs[source] = try (1...(wishes.replicas[source] ?? 1)).map { replica in
                try world.startService(
                    source, replica: replica, after: delay, logs: source == .triggerService ? [.ingest] : [],
                    blank: blank[source],
                    migrate: { migrator in
                        migrate(&migrator)
                        if archives { Archive.migrate(&migrator) }
                    }, parts: parts)
            }
        }
        self.programs = programs
    }

    /// The logs that a service owns.
    static func logs(of service: Source) -> [Source] {
        service == .triggerService ? [.triggerService, .ingest] : [service]
    }

    /// What it follows of what there is.
    func followed(by service: Source) -> [Source] {
        (Self.followed[service] ?? []).filter { log in
            sources.contains(log == .ingest ? .triggerService : log)
        }
    }

    private static func parts(
        of source: Source, _ forge: Forge, _ machines: Machines, _ people: People, keepsLittle: Bool
    ) -> @Sendable (ServiceContext) async throws -> ServiceParts {
        { context in
            var parts =
                switch source {
                case .triggerService: try await trigger(context, forge)
                case .trainerProxy: try SimulatedBackend(context, machines).parts
                case .evaluator: evaluator
                case .registryService: registry
                case .deployer: try SimulatedServing(context).serviceParts
                case .notifier: try notifier(context)
                default: people.parts(context)
                }
            // A person's wish that is older than what a log keeps is not carried out: all are kept.
            if keepsLittle, source != .console {
                parts.leading.append { await Archive.cut(logs(of: source), context.store) }
            }
            return parts
        }
    }

    private static var registry: ServiceParts {
        ServiceParts(
            subscriptions: [.triggerService, .trainerProxy, .evaluator, .deployer, .console],
            handle: { event, transaction in try RegistryEvents.handle(event, in: transaction) },
            verbs: [RegisterStep.verb, ResolveStep.verb, TagStep.verb, TransitionStep.verb])
    }

    private static var evaluator: ServiceParts {
        ServiceParts(
            subscriptions: [.triggerService, .trainerProxy, .registryService, .deployer, .console],
            handle: { event, transaction in try EvaluatorEvents.handle(event, in: transaction) },
            verbs: [CompareStep.verb, AssertStep.verb, PinStep.verb])
    }

    private static func trigger(_ context: ServiceContext, _ forge: Forge) async throws -> ServiceParts {
        let dispatcher = Dispatcher(settings: TriggerService.Settings())
        let folder = context.paths.service(.triggerService)
        let mirrors = Mirrors(folder: folder + "/mirrors", git: Git(execute: forge.git))
        let watcher = RepositoryWatcher(
            store: context.store, dispatcher: dispatcher, mirrors: mirrors, logger: context.logger)
        let reading = CommitReading(
            mirrors: mirrors, dispatcher: dispatcher, store: context.store, artifacts: context.artifacts,
            scratch: folder + "/scratch")
        let reminders = Reminders(
            dispatcher: dispatcher, watcher: watcher, store: context.store, logger: context.logger)
        let sessions = Sessions(store: context.store, dispatcher: dispatcher, logger: context.logger)
        let requests = SessionRequests(sessions: sessions, store: context.store, dispatcher: dispatcher)
        let timer = ScheduleTimer(
            store: context.store, dispatcher: dispatcher, clock: context.clock, logger: context.logger)
        return ServiceParts(
            subscriptions: [.console, .registryService, .evaluator, .trainerProxy, .deployer],
            handle: Events(dispatcher: dispatcher).handle,
            effects: reading.effects.merging(reminders.effects) { $1 },
            requests: requests.handlers.merging(Ingest(store: context.store, dispatcher: dispatcher).handlers) { $1 },
            takeOver: {
                try await sessions.restore()
                try await context.store.write { try dispatcher.followStored($0) }
            },
            leading: [
                { await watcher.run() }, { await sessions.run() }, { await reminders.run() }, { await timer.run() },
            ])
    }

    private static func notifier(_ context: ServiceContext) throws -> ServiceParts {
        let announcements = Announcements(consoleURL: { "http://127.0.0.1:8080" })
        let delivering = Delivering(
            store: context.store, slack: SlackWebhook(client: HTTPClient(), secret: { _ in "" }),
            files: NotificationFiles(root: context.paths.notifications))
        return ServiceParts(
            subscriptions: [.triggerService, .trainerProxy, .evaluator, .registryService, .deployer, .ingest],
            handle: announcements.handle, effects: [Delivering.kind: delivering.carryOut], verbs: [NotifyStep.verb])
    }

    /// The project file that is pushed: every pipeline that a seed may start.
    static let file = """
        martlet: 1
        project: demo
        model:
          name: demo
          champion: stage=production
          stages: { preset: trunk }
        environments:
          prod: { approvals: { required: 1, requester_may_approve: false, timeout: 30d, on_timeout: reject } }
          uat: { enabled: false }
        targets:
          api: { kind: process, command: "python -m serve", health: /healthz, score: /score }
        notify:
          - when: [run.finished, model.registered, model.stage_changed]
            use: file
            channel: demo.jsonl
        pipelines:
          checks:
            on: { push: { branches: [main] }, manual: {} }
            jobs:
              one:
                steps: [{ run: "true" }, { run: "true" }]
              two:
                needs: one
                steps: [{ run: "true" }]
          release:
            on: { manual: {} }
            concurrency: { group: release, max: 1, on_conflict: queue }
            jobs:
              uat: { environment: uat, steps: [{ run: "true" }] }
              start:
                needs: uat
                steps:
                  - { uses: pipeline/start, with: { pipeline: checks } }
                  - { uses: pipeline/start, with: { pipeline: checks, wait: true } }
              ask: { needs: start, environment: prod, steps: [{ run: "true" }, { run: "true" }] }
              undo: { needs: ask, if: rejected(), steps: [{ run: "true" }] }
          served:
            on: { event: { type: deployment.finished } }
            jobs:
              note: { steps: [{ run: "true" }] }
          train:
            on: { push: { branches: [main] }, manual: {} }
            jobs:
              train:
                steps:
                  - { id: train, uses: train/run, with: { command: "python train.py" } }
                  - id: evaluate
                    uses: evaluate/compare
                    with:
                      challenger: { run: "${{ steps.train.run_id }}" }
                      metric: mse
                      better: lower
                      no_champion: win
                      missing_metric: lose
                      on_lose: not_promoted
                  - id: register
                    uses: registry/register
                    with: { run: "${{ steps.train.run_id }}" }
                outputs: { version: "${{ steps.register.version }}" }
              deploy:
                needs: train
                environment: prod
                steps:
                  - uses: registry/transition
                    with: { version: "${{ needs.train.version }}", to: production }
                  - { uses: deploy/model, with: { target: api, version: "${{ needs.train.version }}" } }
                  - { uses: deploy/smoke-test, with: { target: api, expect: { status: 200 }, on_fail: rollback } }
        """
}
