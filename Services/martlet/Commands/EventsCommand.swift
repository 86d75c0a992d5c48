import ArgumentParser
import Foundation
import Messages
import ServiceKit

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "The stream of everything that happens.",
        subcommands: [EventsTailCommand.self, Show.self, Publish.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one event whole.", discussion: "Example:\n  martlet events show 0192f3a1-…")

        @Argument(help: "The event's id.")
        var id: String

        @OptionGroup var installation: Installation

        func run() async throws {
            try Terminal.show(try await installation.api().get("/events/\(APIClient.escape(id))"))
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a CloudEvent of your own; it is on disk when this ends.",
            discussion: """
                Examples:
                  martlet events publish event.json
                  echo '{"id":"1","source":"/acme","type":"com.acme.data.arrived","data":{}}' | martlet events publish -
                The same id and source with the same content is the same event. It needs a token of the role operator.
                """)

        @Argument(help: "A file with one CloudEvent in JSON; '-' reads standard input.")
        var file: String

        @OptionGroup var installation: Installation

        /// What `ingest` takes.
        static let mostBytes = 48 << 10

        func run() async throws {
            let bytes = try read()
            guard bytes.count <= Self.mostBytes else {
                throw Failure(
                    "\(file) has \(bytes.count) bytes; an event may have \(Self.mostBytes)",
                    hint: "publish a reference to what is large")
            }
            guard let event = try? Wire.decode(JSONValue.self, from: bytes), event.object != nil else {
                throw Failure("\(file) holds no JSON object", hint: "a CloudEvent needs at least id, source and type")
            }
            let stored = try await installation.api().post("/events", event)
            try installation.print(stored, "published as \(stored.text("source")):\(stored.text("seq"))")
        }

        private func read() throws -> Data {
            if file == "-" { return FileHandle.standardInput.readDataToEndOfFile() }
            guard let bytes = FileManager.default.contents(atPath: file) else {
                throw Failure("\(file) cannot be read", hint: "name a file, or '-' for standard input")
            }
            return bytes
        }
    }
}
