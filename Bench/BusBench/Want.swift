import ArgumentParser
import Foundation
import Messages
import ServiceKit
import Store

/// In the place of the console: says what a person wants, as the events that the console would write.
struct Want: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Adds a repository and asks for runs of its pipeline 'park': `run <count>` on standard input.")

    @OptionGroup var options: ServiceOptions
    @Option var repository: String

    func run() async throws {
        let repository = repository
        try await Service.run(.console, options: options, migrate: { _ in }) { context in
            let wishes = Wishes(store: context.store)
            return ServiceParts(
                subscriptions: [.triggerService],
                handle: { event, _ in
                    if event.envelope.type == ProjectLoaded.eventType { Lines.say(["loaded": true]) }
                },
                background: [Loop { try await Self.obey(wishes, repository) }])
        }
    }

    private static func obey(_ wishes: Wishes, _ repository: String) async throws {
        try await wishes.say(RepositoryAddRequested(repository: "bench", url: repository), times: 1)
        for await words in Lines.heard() {
            guard words.count == 2, words[0] == "run", let count = Int(words[1]) else { continue }
            try await wishes.say(RunRequested(project: "bench", pipeline: "park", parameters: [:]), times: count)
            Lines.say(["asked": .int(count)])
        }
    }
}

private struct Wishes: Sendable {
    let store: StateStore

    func say(_ wish: some EventBody, times: Int) async throws {
        for first in stride(from: 0, to: times, by: 100) {
            try await store.write { transaction in
                for _ in first..<min(first + 100, times) {
                    try transaction.publish(
                        wish, subject: "project/bench", key: "bench", because: .first(actor: "user:bench"))
                }
            }
        }
    }
}
