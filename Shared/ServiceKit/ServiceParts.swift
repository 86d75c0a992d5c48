import Bus
import Foundation
import Hummingbird
import Messages
import ServiceLifecycle
import Store

/// What one service adds to what all do alike.
package struct ServiceParts: Sendable {
    /// The logs that it follows; `console` and, for workers, `trigger-service` are followed anyway.
    package var subscriptions: [Source] = []
    /// Applies one event, in the transaction that moves the cursor.
    package var handle: @Sendable (ReceivedEvent, Transaction) throws -> Void = { _, _ in }
    /// How intents are carried out, by their kind.
    package var effects: [String: Effect] = [:]
    package var verbs: [StepVerb] = []
    /// Steps worked at once.
    package var slots = 4
    /// Requests to this service as a target on the bus, by method; the leader answers them.
    package var requests: [String: RequestHandler] = [:]
    package var routes: (@Sendable (Router<BasicRequestContext>) -> Void)?
    /// What its HTTP door bears.
    package var door = DoorLimits()
    /// Its door asks for API tokens: it is ready when it knows one, and not before the console has told it of any.
    package var asksForTokens = false
    /// Runs in every replica.
    package var background: [any ServiceLifecycle.Service] = []
    /// Once, when this replica becomes the leader and before it is asked anything.
    package var takeOver: @Sendable () async throws -> Void = {}
    /// Runs in the leader alone, from when it leads.
    package var leading: [@Sendable () async -> Void] = []
    package var onFork = ForkPolicy.halt
    /// Forgets what is over for long, now and then in the leader: a bounded amount each time.
    package var forget: @Sendable (Transaction) throws -> Void = { _ in }
    /// Called, where there are several replicas, soon after any of them has committed.
    package var onOthersCommit: @Sendable () async -> Void = {}
    /// Once all of it has ended, before the state is closed; not where a part has failed.
    package var ended: @Sendable () async -> Void = {}

    package init(
        subscriptions: [Source] = [],
        handle: @escaping @Sendable (ReceivedEvent, Transaction) throws -> Void = { _, _ in },
        effects: [String: Effect] = [:], verbs: [StepVerb] = [], slots: Int = 4,
        requests: [String: RequestHandler] = [:],
        routes: (@Sendable (Router<BasicRequestContext>) -> Void)? = nil, door: DoorLimits = DoorLimits(),
        asksForTokens: Bool = false, background: [any ServiceLifecycle.Service] = [],
        takeOver: @escaping @Sendable () async throws -> Void = {},
        leading: [@Sendable () async -> Void] = [], onFork: ForkPolicy = .halt,
        forget: @escaping @Sendable (Transaction) throws -> Void = { _ in },
        onOthersCommit: @escaping @Sendable () async -> Void = {},
        ended: @escaping @Sendable () async -> Void = {}
    ) {
        self.subscriptions = subscriptions
        self.handle = handle
        self.effects = effects
        self.verbs = verbs
        self.slots = slots
        self.requests = requests
        self.routes = routes
        self.door = door
        self.asksForTokens = asksForTokens
        self.background = background
        self.takeOver = takeOver
        self.leading = leading
        self.onFork = onFork
        self.forget = forget
        self.onOthersCommit = onOthersCommit
        self.ended = ended
    }
}

/// An event as a service sees it.
package struct ReceivedEvent: Sendable, Hashable {
    package let envelope: Envelope
    package let position: LogPosition

    package init(envelope: Envelope, position: LogPosition) {
        self.envelope = envelope
        self.position = position
    }
}

/// Thrown by a handler: trying again cannot help, the event is dead at once (bus.md 5).
package struct DeadAtOnce: Error, CustomStringConvertible, Hashable {
    package let description: String

    package init(_ reason: String) { description = reason }
}

/// Carries out one intent. It may be called again with the same intent after a crash: `intent.id` is its idempotency key.
/// It runs on no actor: effects block nobody, and each other not.
package typealias Effect = @concurrent @Sendable (Intent) async -> EffectOutcome

/// What came of an intent; what follows from it is written in the transaction that removes it.
package enum EffectOutcome: Sendable {
    case done(@Sendable (Transaction) throws -> Void)
    /// Tried again, with back-off unless `after` says when.
    case later(reason: String, after: Duration? = nil)
    case never(reason: String, @Sendable (Transaction) throws -> Void)
}
