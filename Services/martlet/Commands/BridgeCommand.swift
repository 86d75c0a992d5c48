import ArgumentParser
import Bus
import Foundation
import Messages
import ServiceKit
import Store
import UnixSignals

struct BridgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bridge", abstract: "Hand the events on over HTTP, for systems without ZeroMQ.",
        discussion: """
            Examples:
              martlet bridge --to https://hooks.example.org/martlet --secret-file ./whsec --state ./bridge.json
              martlet bridge --to http://127.0.0.1:9000/ --type 'model.*' --since start
              martlet bridge --to https://… --bus tcp://ml.example.org:5550 --key-file ./keys/kim.key
            Each event is one POST of a CloudEvent in JSON, with the headers of Standard Webhooks: webhook-id,
            webhook-timestamp, and with a secret webhook-signature. The events of one service come in order; the next one
            waits until the one before was answered with 2xx, and is tried again until then. How far it came is kept in
            --state, so a restart goes on there; an event may come twice, with the same webhook-id.
            With --json standard output has a line for each event that was accepted, or refused and is tried again.
            """)

    @Option(help: "Where the events are posted to.")
    var to: String

    @Option(help: "File with the secret that they are signed with, as whsec_… (base64 of 24 to 64 bytes).")
    var secretFile: String?

    @Option(help: "File that keeps how far it came. Default: bridge.json in the data folder.")
    var state: String?

    @Option(help: "Where to begin at first: start, a time, or SOURCE:SEQ (may be repeated). Default: from now.")
    var since: [String] = []

    @Option(help: "Seconds that the receiver has for its answer.")
    var timeout = 20

    @OptionGroup var filter: EventFilter
    @OptionGroup var place: BusPlace
    @OptionGroup var installation: Installation

    func validate() throws {
        _ = try TailStart(since)
        guard to.hasPrefix("http://") || to.hasPrefix("https://"), URL(string: to)?.host != nil else {
            throw ValidationError("--to: '\(to)' is not an address as https://hooks.example.org/martlet")
        }
        guard (1...600).contains(timeout) else { throw ValidationError("--timeout: take 1 to 600") }
    }

    func run() async throws {
        let webhook = try secretFile.map(Self.webhook)
        let path = URL(fileURLWithPath: state ?? installation.paths.root + "/bridge.json").standardizedFileURL.path
        guard let lock = try LeaderLock.acquire(path: path + ".lock") else {
            throw Failure("another bridge is at work with \(path)", hint: "give each a --state of its own")
        }
        defer { withExtendedLifetime(lock) {} }
        let start = try TailStart(since)
        let bus = try place.connect(installation)
        let follower = try await follower(webhook, path, start, bus)
        let subscriber = Subscriber(bus: bus, sources: Source.all, follower: follower, logger: bus.logger)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await subscriber.run() }
                group.addTask { await follower.ended() }
                group.addTask { for await _ in signals { break } }
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            // Told to stop: what was accepted is noted.
        }
        await bus.shutdown()
        if let problem = await follower.problem { throw problem }
    }

    private func follower(
        _ webhook: StandardWebhook?, _ path: String, _ start: TailStart, _ bus: BusConnection
    ) async throws -> BridgeFollower {
        let known = try BridgeState.read(path)
        var state = known ?? BridgeState()
        if known == nil {
            for (source, cursor) in try await start.cursors(bus) { state.cursors[source.name] = cursor }
            try state.write(path)
        }
        let isJSON = installation.json
        (known == nil ? BridgeProgress.begins(state: path) : .goesOn(state: path)).tell(asJSON: isJSON)
        return BridgeFollower(
            to: .init(url: to, webhook: webhook, timeout: .seconds(timeout)), filter: filter,
            after: known == nil ? start.time : nil, state: state, statePath: path,
            tell: { $0.tell(asJSON: isJSON) })
    }

    private static func webhook(_ file: String) throws -> StandardWebhook {
        do {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            return try StandardWebhook(secret: text.trimmingCharacters(in: .whitespacesAndNewlines))
        } catch let problem as StandardWebhook.Problem {
            throw Failure("--secret-file: \(file) \(problem)")
        } catch {
            throw Failure("--secret-file: \(file) cannot be read", hint: "check its path and its owner")
        }
    }
}
