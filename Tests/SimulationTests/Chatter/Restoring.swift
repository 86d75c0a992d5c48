import CSimulation
import EventLog
import Foundation
import GRDB
import Messages

@testable import ServiceKit

/// An operator puts an older copy of a database back, and the service goes on as if nothing had been.
enum Restoring {
    static let scenario = Scenario(name: "restore", share: 0.06, play: play)

    private static func play(_ world: World) throws -> Finding {
        let talk = try Talk(world, Chatting.sources)
        world.advance(world.milliseconds(300...2500))
        let source = Chatting.sources[world.pick(0...2)]
        let copy = simulation_disk_copy(world.paths.database(source))
        defer { simulation_image_free(copy) }
        let kept = try world.read(source) { db in
            let row = try Row.fetchOne(db, sql: "SELECT epoch, last FROM log")
            return LogPlace(epoch: row?["epoch"] ?? 0, seq: row?["last"] ?? 0)
        }
        world.advance(world.milliseconds(0...2500))
        world.tell("an older copy of \(source) is restored")
        talk.programs[source]?.first?.kill(for: world.milliseconds(10...2000))
        simulation_disk_put(copy)
        // A bus that was started again remembers no heads: then only the chains can tell.
        if world.chance(0.5) { talk.buses[0].kill(for: world.milliseconds(10...1000)) }
        world.advance(world.milliseconds(2_000...5_000))
        talk.outside.with { $0.isQuiet = true }
        world.advance(.seconds(15))
        var finding = Finding(digest: world.digest, steps: simulation_steps())
        for other in Chatting.sources where other != source {
            try check(other, of: source, from: kept, world, &finding)
        }
        return finding
    }

    /// I6: a follower that was ahead has stopped: it applies nothing of what is said after the restored copy. Of the
    /// console everybody takes the word, and says so.
    private static func check(
        _ follower: Source, of source: Source, from kept: LogPlace, _ world: World, _ finding: inout Finding
    ) throws {
        let log = try world.read(source) { db in
            try Row.fetchAll(db, sql: "SELECT epoch, seq, id FROM outbox WHERE source = ?", arguments: [source.name])
        }
        func name(_ place: LogPlace, _ id: String) -> String { "\(place.epoch)/\(place.seq) \(id)" }
        let known = Set(log.map { name(LogPlace(epoch: $0["epoch"], seq: $0["seq"]), $0["id"]) })
        finding.events += log.count
        let hearing = try world.read(follower) { try Hearing(of: source, by: follower, in: $0) }
        let lost = hearing.events.filter { !known.contains(name($0.place, $0.id)) }
        let mixed = hearing.events.filter { $0.place > kept && known.contains(name($0.place, $0.id)) }
        if !lost.isEmpty, !mixed.isEmpty, hearing.landings.isEmpty || source != .console {
            finding.problems.append(
                "I6 \(hearing.name): \(lost.count) events applied that it no longer has, and \(mixed.count) that it"
                    + " said instead of them; quarantined: \(hearing.fork ?? "no")")
        }
        if Set(hearing.events.map(\.id)).count != hearing.events.count {
            finding.problems.append("I2 \(hearing.name): something was heard twice")
        }
    }
}
