import CSimulation
import Foundation
import HTTPClient
import Messages

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
    static let followed: [Source: [Source]] = [
        .triggerService: [.console, .registryService, .evaluator],
        .trainerProxy: [.triggerService, .console],
        .evaluator: [.triggerService, .trainerProxy, .registryService, .deployer, .console],
        .registryService: [.triggerService, .trainerProxy, .evaluator, .deployer, .console],
        .deployer: [.triggerService, .registryService, .console],
        .notifier: [.triggerService, .trainerProxy, .evaluator, .registryService, .deployer, .ingest, .console],
        .console: Source.all,
    ]

    let forge = Forge()
    let machines = Machines()
    let people = People()
    let bus: Program
    let services: [Program]

    init(_ world: World) throws {
        let (forge, machines, people) = (forge, machines, people)
        bus = try world.startBus()
        services = [
            try world.startService(.triggerService, logs: [.ingest], migrate: TriggerStore.migrate) {
                try await Self.trigger($0, forge)
            },
            try world.startService(.trainerProxy, migrate: TrainerStore.migrate) {
                try SimulatedBackend($0, machines).parts
            },
            try world.startService(.evaluator, migrate: EvaluatorStore.migrate) { _ in Self.evaluator },
            try world.startService(.registryService, migrate: RegistryStore.migrate) { _ in
                ServiceParts(
                    subscriptions: [.triggerService, .trainerProxy, .evaluator, .deployer, .console],
                    handle: { event, transaction in try RegistryEvents.handle(event, in: transaction) },
                    verbs: [RegisterStep.verb, ResolveStep.verb, TagStep.verb, TransitionStep.verb])
            },
            try world.startService(.deployer, migrate: DeployerStore.migrate) {
                try SimulatedServing($0).serviceParts
            },
            try world.startService(.notifier, migrate: NotifierStore.migrate) { try Self.notifier($0) },
            try world.startService(.console, migrate: ConsoleStore.migrate) { people.parts($0) },
        ]
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
        return ServiceParts(
            subscriptions: [.console, .registryService, .evaluator],
            handle: Events(dispatcher: dispatcher).handle,
            effects: reading.effects.merging(reminders.effects) { $1 },
            requests: requests.handlers.merging(Ingest(store: context.store, dispatcher: dispatcher).handlers) { $1 },
            takeOver: { try await sessions.restore() },
            leading: [{ await watcher.run() }, { await sessions.run() }, { await reminders.run() }])
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
