import ArgumentParser
import Bus
import Foundation
import Logging
import Messages

struct EventsTailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show events as they come, from the bus itself: per source in order, without a gap.",
        discussion: """
            Examples:
              martlet events tail
              martlet events tail --since start --type 'model.*'
              martlet events tail --since 2026-01-31T12:00:00Z --json
              martlet events tail --since trigger-service:120 --since registry-service:7
              martlet events tail --model churn --json | jq .event.type
              martlet events tail --bus tcp://ml.example.org:5550 --key-file ./keys/kim.key
              martlet events tail --telemetry --type 'step.*'
            SOURCE:SEQ goes on after that number; sources that are not named go on from now.
            Telemetry is what is told in passing, from now on, marked with '~': nobody keeps it, and some may be missing.
            """)

    @Option(help: "start, a time, or SOURCE:SEQ (may be repeated). Default: from now.")
    var since: [String] = []

    @OptionGroup var filter: EventFilter
    @OptionGroup var place: BusPlace

    @Flag(help: "Show telemetry too: log lines and progress of running steps, and what others tell.")
    var telemetry = false

    @Option(help: "End after this many events.")
    var limit: Int?

    @OptionGroup var installation: Installation

    func validate() throws {
        _ = try TailStart(since)
        if let limit, limit < 1 { throw ValidationError("--limit: take at least 1") }
    }

    func run() async throws {
        let start = try TailStart(since)
        let bus = try place.connect(installation)
        let follower = TailFollower(
            cursors: try await start.cursors(bus), after: start.time, filter: filter, limit: limit,
            json: installation.json)
        // A connection of its own: a flood of telemetry must not push events out of the feed.
        let side = telemetry ? try place.connect(installation) : nil
        let tail = side.map { TelemetryTail(bus: $0, filter: filter, json: installation.json) }
        let subscriber = Subscriber(bus: bus, sources: Source.all, follower: follower, logger: bus.logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await subscriber.run() }
                group.addTask { await follower.ended() }
                if let tail {
                    group.addTask {
                        await tail.run()
                        await follower.ended()
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            // The follower has shown all that it was to show.
        }
        await side?.shutdown()
        await bus.shutdown()
        if let problem = await follower.problem { throw problem }
    }
}
