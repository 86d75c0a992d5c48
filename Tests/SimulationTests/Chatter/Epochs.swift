import CSimulation
import EventLog
import Foundation
import GRDB
import Messages

@testable import ServiceKit
@testable import Store

/// An operator puts an older copy of a database back as docs/operating.md says, and lets the others go on.
enum Epochs {
    static let scenario = Scenario(name: "epochs", share: 0.12, play: play)

    private static func play(_ world: World) throws -> Finding {
        let talk = try Talk(world, Chatting.sources)
        let source = Chatting.sources[world.pick(0...2)]
        guard let victim = talk.programs[source]?.first else { return Finding(digest: 0, steps: 0) }
        world.advance(world.milliseconds(300...2500))
        let copy = simulation_disk_copy(world.paths.database(source))
        defer { simulation_image_free(copy) }
        let kept = try world.read(source) { try Outbox.head(of: source, in: $0) }
        world.advance(world.milliseconds(0...2500))
        // Stopped as it should be, it leaves a mark of how far it had come; killed, it cannot.
        if world.chance(0.7) {
            victim.askToEnd()
            world.advance(.seconds(1))
        }
        victim.kill(for: world.milliseconds(10...2000))
        simulation_disk_put(copy)
        let mark = LogMark.read(world.paths.logMark(source))?.logs[source.name]
        let isSeen = mark.map { $0.place > LogPlace(epoch: kept.epoch, seq: kept.last) } ?? false
        if world.chance(0.3) { talk.buses[0].kill(for: world.milliseconds(10...1000)) }
        world.tell("an older copy of \(source) is put back; it can see that: \(isSeen)")
        world.advance(world.milliseconds(2_000...4_000))
        if !isSeen { talk.outside.with { $0.wishes.append(.newEpoch(source)) } }
        if world.chance(0.5) { talk.storm(500...2_000) }
        var finding = try talk.ending(restored: source)
        // What it said before the copy and after it are two epochs.
        let epochs = try world.read(source) { try Int.fetchOne($0, sql: "SELECT count(*) FROM ended_epoch") }
        if epochs == 0 { finding.problems.append("I6 \(source) went on in its old epoch") }
        return finding
    }
}
