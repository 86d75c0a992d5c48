import Foundation
import GRDB
import Messages
import Store
import Testing

@testable import RegistryService

/// Creations that are sent again, and those that are wished twice, at two replicas of one registry.
@Suite(.timeLimit(.minutes(2))) struct CreationTests {
    /// A model without versions, and files of which to make them.
    private func prepare(_ door: Door) async throws -> JSONValue {
        _ = try await door.post("/registered-models/create", ["name": "churn"])
        let run = try await door.run()
        try await door.put("0/\(run)/artifacts/m/MLmodel")
        return ["name": "churn", "source": .string("runs:/\(run)/m")]
    }

    private func version(_ door: Door, _ wish: JSONValue) async throws -> String? {
        try await door.post("/model-versions/create", wish).json["model_version"]?["version"]?.string
    }

    /// Whether anything would be told once more after the end of who made it.
    private func remembers(_ registry: Registry) async throws -> Bool {
        try await registry.store.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM created") != 0 }
    }

    @Test func `what is wished twice is made twice, whichever replica is asked`() async throws {
        let registry = try Registry()
        let (first, second) = (try await Door(registry), try await Door(registry))
        let wish = try await prepare(first)
        for (number, door) in [first, first, second, second, first].enumerated() {
            #expect(try await version(door, wish) == String(number + 1))
        }
        let model: JSONValue = ["experiment_id": "0", "name": "m"]
        var ids: Set<String> = []
        for door in [first, second] {
            let made = try await door.post("/logged-models", model).json["model"]?["info"]?["model_id"]?.string
            ids.insert(try #require(made))
        }
        #expect(ids.count == 2)
    }

    @Test func `what is wished many times at once is made as often`() async throws {
        let registry = try Registry()
        let doors = [try await Door(registry), try await Door(registry)]
        let wish = try await prepare(doors[0])
        let numbers = try await withThrowingTaskGroup(of: String?.self) { group in
            for turn in 0..<8 { group.addTask { try await version(doors[turn % 2], wish) } }
            return try await group.reduce(into: Set<String>()) { numbers, number in
                if let number { numbers.insert(number) }
            }
        }
        #expect(numbers.count == 8)
    }

    @Test(arguments: ["", "a-process-that-died"])
    func `what nobody answers any more is answered again, once, by whoever is asked`(owner: String) async throws {
        let registry = try Registry()
        let (first, second) = (try await Door(registry), try await Door(registry))
        let wish = try await prepare(first)
        #expect(try await version(first, wish) == "1")
        // As if the answer had broken off, or its process had died before anybody knows whether it arrived.
        try await registry.store.write { tx in
            try tx.db.execute(sql: "UPDATE created SET owner = ?", arguments: [owner])
        }
        #expect(try await version(second, wish) == "1")
        #expect(try await version(second, wish) == "2")
        #expect(try await version(first, wish) == "3")
        #expect(try await registry.said(ModelRegistered.self).count == 3)
    }

    @Test func `what arrived before its replica ended is wished anew after that`() async throws {
        let registry = try Registry()
        let (first, second) = (try await Door(registry), try await Door(registry))
        let wish = try await prepare(first)
        #expect(try await version(first, wish) == "1")
        // As at its end; who asked may have the answer before who answered knows that it went out.
        while try await remembers(registry) {
            try await first.memory.forgetDelivered(in: registry.store)
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await version(second, wish) == "2")
    }

    @Test func `what arrived is forgotten though nothing is made after it`() async throws {
        let registry = try Registry()
        let door = try await Door(registry)
        let forgetting = Task { try await door.memory.keepForgetting(in: registry.store) }
        defer { forgetting.cancel() }
        _ = try await prepare(door)
        while try await remembers(registry) {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func `a replica lives until it is gone`() throws {
        let folder = NSTemporaryDirectory() + "answering-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let here = try AnsweringReplica(in: folder)
        var other: AnsweringReplica? = try AnsweringReplica(in: folder)
        let name = try #require(other?.name)
        #expect(here.isAlive(here.name) && here.isAlive(name))
        #expect(!here.isAlive("nobody") && !here.isAlive(""))
        other = nil
        #expect(!here.isAlive(name))
        // Killed, it leaves its file behind.
        try Data().write(to: URL(fileURLWithPath: folder + "/killed.lock"))
        #expect(!here.isAlive("killed"))
    }

    @Test func `a replica that is gone is so for all that look at once`() throws {
        let folder = NSTemporaryDirectory() + "answering-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let here = try AnsweringReplica(in: folder)
        try Data().write(to: URL(fileURLWithPath: folder + "/killed.lock"))
        let looking = open(folder + "/killed.lock", O_RDONLY)
        defer { close(looking) }
        #expect(flock(looking, LOCK_SH | LOCK_NB) == 0)
        #expect(!here.isAlive("killed"))
    }
}
