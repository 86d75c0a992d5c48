import ArgumentParser
import Foundation
import HTTPClient
import Messages

/// For health checks of containers, whose image has no other program that speaks HTTP.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask one service whether it is well.",
        discussion: """
            Examples:
              martlet health http://127.0.0.1:8080/readyz
            Prints what it answers. The exit code is 0 when it is well, 1 when it says that it is not, 3 without an answer.
            """)

    @Argument(help: "The address of a service's /healthz or /readyz.")
    var url: String

    @Option(help: "Seconds until an answer must be there.")
    var timeout = 5

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw ValidationError("'\(url)' is not an address as http://127.0.0.1:8080/readyz")
        }
        guard (1...300).contains(timeout) else { throw ValidationError("--timeout: take 1 to 300") }
    }

    func run() async throws {
        let response: HTTPResponse
        do {
            response = try await HTTPClient().send(
                HTTPRequest(url: url, timeout: .seconds(timeout), maxResponseBytes: 1 << 16))
        } catch {
            throw Failure.unreachable("\(error)", hint: "is the service running? its log says more")
        }
        let text = String(decoding: response.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard response.isSuccess else {
            throw Failure(text.isEmpty ? "it answered \(response.status)" : text)
        }
        if json { return try Terminal.show(["status": .int(response.status), "text": .string(text)]) }
        Terminal.say(text.printable)
    }
}
