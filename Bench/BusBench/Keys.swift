import ArgumentParser
import Bus
import Messages
import ServiceKit

/// Keys for the benchmark's clients: each may say and ask what it likes, as often as it likes.
struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Makes and authorizes keys.")

    @OptionGroup var options: ServiceOptions
    @Argument var clients: [String]

    func run() async throws {
        let folder = options.keyFolder
        _ = try folder.generate(Source.eventBus.name)
        let keys = try clients.map { ($0, try folder.generate($0).pair.publicKey) }
        try folder.edit { lines in
            for (client, key) in keys {
                let topics = ["e/\(client)/*"] + (client == Source.triggerService.name ? ["e/ingest/*"] : [])
                let rights = Rights(
                    publish: topics.compactMap { TopicPattern($0) }, subscribe: [""],
                    requests: [RequestRight(method: "*")], rate: Rights.highestRate)
                lines.append(AuthorizedKeys.Entry(key: key, client: client, rights: rights).text)
            }
        }
    }
}
