import Foundation
import HTTPClient
import Logging
import Messages
import ServiceKit
import Store

/// Hands spans to a collector: OTLP in JSON over HTTP, until it takes them.
struct TraceExport: Sendable {
    static let kind = "otlp"
    /// About an hour; traces are not worth more.
    private static let mostTries = 20

    let url: String
    let secrets: Secrets
    let logger: Logger
    private let client = HTTPClient()

    init(url: String, secrets: Secrets, logger: Logger) {
        self.url = url
        self.secrets = secrets
        self.logger = logger
    }

    /// Within the transaction that takes the event: a span is told if the event is known.
    static func note(_ envelope: Envelope, in transaction: Transaction) throws {
        let span = try Span(envelope) { run, job in
            try RunQueries.jobStart(run, job, transaction.db)
        }
        if let span { try transaction.intend(kind, id: envelope.id, payload: span) }
    }

    var effect: Effect {
        { intent in
            do {
                let span = try intent.decode(Span.self)
                return try await send(span, tried: intent.attempts)
            } catch {
                return .never(reason: "\(error)") { _ in }
            }
        }
    }

    private func send(_ span: Span, tried: Int) async throws -> EffectOutcome {
        var headers = [(name: "Content-Type", value: "application/json")]
        if let word = try secrets.stored("OTLP_AUTHORIZATION") { headers.append(("Authorization", word)) }
        let problem: String
        do {
            let answer = try await client.send(
                HTTPRequest(
                    method: "POST", url: url, headers: headers, body: try Wire.encode(span.otlp), timeout: .seconds(10),
                    maxResponseBytes: 65_536))
            if answer.isSuccess { return .done { _ in } }
            problem = "answered \(answer.status)"
            guard answer.status >= 500 || [408, 429].contains(answer.status) else { return givenUp(problem) }
        } catch let error as HTTPClientError {
            problem = "\(error)"
        }
        return tried >= Self.mostTries ? givenUp(problem) : .later(reason: problem)
    }

    private func givenUp(_ problem: String) -> EffectOutcome {
        logger.warning("a span is not told: the collector \(problem)")
        return .never(reason: problem) { _ in }
    }
}
