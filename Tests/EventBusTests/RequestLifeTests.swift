import Messages
import Testing

@testable import EventBus

struct RequestLifeTests {
    @Test func `what is not awaited wakes nobody, however long the bus has been running`() {
        var life = RequestRouter.Life(table: RouterTable(life: 7), generation: 0)
        #expect(life.table.nextDeadline == nil && life.reporter.wakeAt == nil)
        life.reportsAt = .seconds(7200)
        #expect(life.wakeAt == .seconds(7200))
        life.reporter.add(
            ClientDenied(client: "acme", reasons: [], seconds: 60), at: Timestamp(milliseconds: 0))
        #expect(life.wakeAt == .zero)
    }
}
