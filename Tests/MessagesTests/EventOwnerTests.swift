import Messages
import Testing

struct EventOwnerTests {
    @Test(arguments: [
        ("registry-service", ModelStageChanged.eventType, true), ("deployer", ModelStageChanged.eventType, false),
        ("ingest", ModelStageChanged.eventType, false), ("acme", ModelStageChanged.eventType, false),
        ("deployer", SourceSilent.eventType, true), ("ingest", SourceSilent.eventType, false),
        ("acme", SourceSilent.eventType, false),
        ("ingest", ClientDenied.eventType, true), ("registry-service", ClientDenied.eventType, false),
        ("deployer", "dev.martlet.not_yet.known.v1", true), ("acme", "dev.martlet.not_yet.known.v1", false),
        ("ingest", "dev.martlet.not_yet.known.v1", false), ("ingest", "org.acme.load", true),
        ("acme", "org.acme.load", true), ("acme", "DEV.Martlet.run.finished.v1", false),
    ])
    func `a type has one source that may write it`(source: String, type: String, expected: Bool) {
        #expect(EventOwner.may(source, write: type) == expected)
    }

    @Test func `every type of ours is refused of strangers`() {
        for body in allEventBodies {
            #expect(!EventOwner.may("acme", write: body.eventType), "\(body.name)")
            if body.source != .ingest { #expect(!EventOwner.may("ingest", write: body.eventType), "\(body.name)") }
        }
    }
}
