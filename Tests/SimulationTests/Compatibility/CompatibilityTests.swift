import Bus
import EventLog
import Foundation
import GRDB
import Logging
import Messages
import Store
import Testing

@testable import Console
@testable import Deployer
@testable import Evaluator
@testable import Notifier
@testable import RegistryService
@testable import ServiceKit
@testable import TrainerProxy
@testable import TriggerService

@Suite struct CompatibilityTests {
    @Test func `I10 every event type has its golden form, and every golden form a type that reads it`() throws {
        let files = try Corpus.files()
        let types = Dictionary(uniqueKeysWithValues: allEventBodies.map { ("\($0.name).v\($0.majorVersion)", $0) })
        #expect(
            Set(types.keys).subtracting(files.keys).isEmpty, "a released type needs a file in Tests/Fixtures/events")
        for (name, lines) in files {
            let type = try #require(types[name], "\(name) was released; nothing may stop reading it")
            for line in lines { #expect(try reads(type, line), "\(name): \(String(decoding: line, as: UTF8.self))") }
        }
    }

    private func reads<Body: EventBody>(_ type: Body.Type, _ line: Data) throws -> Bool {
        let envelope = try Wire.decode(Envelope.self, from: line)
        guard let body = try envelope.body(type) else { return false }
        // Nothing that was said is forgotten on the way through.
        let again = try Wire.decode(JSONValue.self, from: try Wire.encode(body))
        return envelope.data.object?.keys.allSatisfy { again[$0] != nil || envelope.data[$0] == .null } ?? false
    }

    @Test func `I10 no service chokes on a golden event`() async throws {
        for taster in try await Taster.all() {
            let events = try Corpus.events()
            #expect(try await taster.taste(events) == events.count)
            let letters = try await taster.letters()
            #expect(letters == [], "\(taster.source)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `I10 any byte string is dropped or parked, never a crash, and the log goes on`(seed: UInt64) async throws {
        var mutator = Mutator(seed: seed, events: try Corpus.events())
        let strange = (0..<150).map { _ in mutator.next() }
        for taster in try await Taster.all() {
            #expect(try await taster.taste(strange) == strange.count, "\(taster.source)")
        }
    }

    @Test func `I10 the bus and its subscribers drop what is malformed`() {
        var random = SeededRandom(seed: 9)
        for _ in 0..<20_000 {
            let frames = (0..<3).map { _ in
                (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random)
                }
            }
            let verdict: Result<(LiveTopic, LiveHeader), LiveDrop> = frames[0].withUnsafeBytes { topic in
                frames[1].withUnsafeBytes { header in
                    frames[2].withUnsafeBytes { body in
                        Result { () throws(LiveDrop) in
                            try LiveCheck.check(topic: topic, header: header, body: body)
                        }
                    }
                }
            }
            if case .success(let (topic, header)) = verdict { Issue.record("\(topic) \(header) passed") }
        }
    }
}

/// A service's inbox with its real handler, fed with whatever comes.
private final class Taster: Sendable {
    let source: Source
    private let other: Source
    let store: StateStore
    private let inbox: Inbox
    private let folder: String

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func all() async throws -> [Taster] {
        let dispatcher = Dispatcher(settings: TriggerService.Settings())
        let announcements = Announcements(consoleURL: { "http://127.0.0.1:8080" })
        return [
            try Taster(.triggerService, TriggerStore.migrate) { _ in Events(dispatcher: dispatcher).handle },
            try Taster(.evaluator, EvaluatorStore.migrate) { _ in
                { event, transaction in try EvaluatorEvents.handle(event, in: transaction) }
            },
            try Taster(.registryService, RegistryStore.migrate) { _ in
                { event, transaction in try RegistryEvents.handle(event, in: transaction) }
            },
            try Taster(.notifier, NotifierStore.migrate) { _ in announcements.handle },
            try Taster(.deployer, DeployerStore.migrate) { _ in
                let rollouts = Rollouts(
                    addresses: EndpointAddresses(root: { "" }), bell: Bell(), drift: DriftWatch(grace: .seconds(60)))
                let events = DeployerEvents(rollouts: rollouts)
                return { event, transaction in try events.handle(event, transaction) }
            },
            try Taster(.console, ConsoleStore.migrate) { _ in
                { event, transaction in
                    try Projection.take(event.envelope, at: event.position, in: transaction.db)
                }
            },
        ]
    }

    private init(
        _ source: Source, _ migrate: (inout DatabaseMigrator) -> Void,
        _ handler: (StateStore) -> @Sendable (ReceivedEvent, Transaction) throws -> Void
    ) throws {
        self.source = source
        other = source == .trainerProxy ? .deployer : .trainerProxy
        folder = NSTemporaryDirectory() + "martlet-taste-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try StateStore.open(path: folder + "/state.sqlite", source: source, migrate: migrate)
        inbox = Inbox(
            source: source, store: store, handle: handler(store), positions: PositionTracker(followed: []),
            retries: WakeSignal(), metrics: MetricsRegistry(),
            logger: Logger(label: "taste") { _ in SwiftLogNoOpLogHandler() }, canceled: { _ in })
    }

    /// Applies each in the log of whoever says it; what is nobody's, or this service's own, in the log of another.
    /// - Returns: how many events those logs are read to.
    func taste(_ bodies: [Data]) async throws -> Int {
        var tips: [Source: LogCursor] = [:]
        for body in bodies {
            let envelope = try? Wire.decode(Envelope.self, from: body)
            let log = envelope.flatMap(author) ?? other
            let tip = tips[log] ?? LogCursor(epoch: 1, seq: 0, chain: .start(of: log, epoch: 1, parent: nil))
            let record = LogRecord(
                source: log, epoch: 1, seq: tip.seq + 1, prev: tip.chain,
                topic: "e/\(log)/\(envelope?.type ?? "strange")",
                body: body)
            tips[log] = LogCursor(epoch: 1, seq: record.seq, chain: record.chain)
            try await inbox.apply([record])
        }
        var reached: Int64 = 0
        for log in tips.keys { reached += try await store.cursor(for: log)?.seq ?? 0 }
        return Int(reached)
    }

    private func author(of envelope: Envelope) -> Source? {
        guard envelope.source.hasPrefix("/martlet/") else { return nil }
        let author = Source(checking: String(envelope.source.dropFirst("/martlet/".count)))
        return author == source ? nil : author
    }

    /// Why some became dead letters.
    func letters() async throws -> [String] {
        try await store.read { db in
            try String.fetchAll(db, sql: "SELECT reason FROM parked WHERE state = 'dead'")
        }
    }
}
