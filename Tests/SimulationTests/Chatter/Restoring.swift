import CSimulation
import EventLog
import Foundation
import GRDB
import Messages

@testable import ServiceKit

/// An operator puts an older copy of a database back, and the service goes on as if nothing had been.
enum Restoring {
    static let scenario = Scenario(name: "restore", share: 0.1, play: play)

    private static func play(_ world: World) throws -> Finding {
        let outside = Outside()
        let bus = try world.startBus()
        let services = try Chatting.sources.map { source in
            let chatter = Chatter(source: source, others: Chatting.sources.filter { $0 != source }, outside: outside)
            return try world.startService(source, migrate: Chatter.migrate) { chatter.parts($0) }
        }
        world.advance(world.milliseconds(300...2500))
        let victim = world.pick(0...Chatting.sources.count - 1)
        let source = Chatting.sources[victim]
        let copy = simulation_disk_copy(world.paths.database(source))
        defer { simulation_image_free(copy) }
        let kept = try world.read(source) { db in
            let row = try Row.fetchOne(db, sql: "SELECT epoch, last FROM log")
            return LogPlace(epoch: row?["epoch"] ?? 0, seq: row?["last"] ?? 0)
        }
        world.advance(world.milliseconds(0...2500))
        world.tell("an older copy of \(source) is restored")
        services[victim].kill(for: world.milliseconds(10...2000))
        simulation_disk_put(copy)
        // A bus that was started again remembers no heads: then only the chains can tell.
        if world.chance(0.5) { bus.kill(for: world.milliseconds(10...1000)) }
        world.advance(world.milliseconds(2_000...5_000))
        outside.with { $0.isQuiet = true }
        world.advance(.seconds(15))
        var finding = Finding(digest: world.digest, steps: simulation_steps())
        for other in Chatting.sources where other != source {
            try check(other, of: source, from: kept, world, &finding)
        }
        return finding
    }

    /// I6: a follower that was ahead has stopped: it applies nothing of what is said after the restored copy. The console's
    /// log holds wishes, each for itself: whoever was ahead of that one tells so, and goes on.
    private static func check(
        _ follower: Source, of source: Source, from kept: LogPlace, _ world: World, _ finding: inout Finding
    ) throws {
        let log = try world.read(source) { db in
            try Row.fetchAll(db, sql: "SELECT epoch, seq, id FROM outbox WHERE source = ?", arguments: [source.name])
        }
        let known = Set(log.map { "\($0["epoch"] as Int64)/\($0["seq"] as Int64) \($0["id"] as String)" })
        finding.events += log.count
        let (heard, quarantined, told) = try world.read(follower) { db in
            (
                try Row.fetchAll(
                    db, sql: "SELECT epoch, seq, event FROM heard WHERE source = ?", arguments: [source.name]),
                try String.fetchOne(
                    db, sql: "SELECT fork FROM halt WHERE source = ?", arguments: [source.name]),
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM outbox WHERE topic LIKE ?)",
                    arguments: ["%\(ForkDetected.name)%"]) ?? false
            )
        }
        let names = heard.map {
            (
                LogPlace(epoch: $0["epoch"], seq: $0["seq"]),
                "\($0["epoch"] as Int64)/\($0["seq"] as Int64) \($0["event"] as String)"
            )
        }
        let lost = names.filter { !known.contains($0.1) }
        let mixed = names.filter { $0.0 > kept && known.contains($0.1) }
        if !lost.isEmpty, !mixed.isEmpty, source != .console || !told {
            finding.problems.append(
                "I6 \(follower) applied \(lost.count) events that \(source) no longer knows, and \(mixed.count) that it"
                    + " said instead of them; quarantined: \(quarantined ?? "no")")
        }
        if Set(heard.map { $0["event"] as String }).count != heard.count {
            finding.problems.append("I2 \(follower) heard something twice")
        }
    }
}
