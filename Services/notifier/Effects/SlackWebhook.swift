import Foundation
import HTTPClient
import Messages
import ServiceKit

/// Posts to an incoming webhook of Slack, or of anything that takes Slack's format.
struct SlackWebhook: Sendable {
    private static let connectTimeout = Duration.seconds(10)
    private static let timeout = Duration.seconds(30)

    let client: HTTPClient
    let secret: @Sendable (String) throws -> String

    /// The address is read now and kept nowhere: it is as good as a password.
    func send(_ delivery: Delivery, toSecret name: String) async -> Attempt {
        do {
            return await send(delivery, to: try secret(name))
        } catch {
            return .retry(reason: "\(error)", after: nil)
        }
    }

    func send(_ delivery: Delivery, to url: String) async -> Attempt {
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let request = HTTPRequest(
                method: "POST", url: url, headers: [("Content-Type", "application/json; charset=utf-8")],
                body: try Wire.encode(SlackText(delivery.notice, about: delivery.subject)), timeout: Self.timeout,
                connectTimeout: Self.connectTimeout, maxResponseBytes: 65_536)
            let response = try await client.send(request)
            return Attempt(
                status: response.status, retryAfter: response.header("Retry-After"),
                body: String(decoding: response.body, as: UTF8.self))
        } catch let error as HTTPClientError {
            return Self.attempt(after: error, waited: clock.now - start)
        } catch {
            return .giveUp(reason: "\(error)")
        }
    }

    /// Only a request that never left may be repeated: Slack has no key by which it could recognise a second one.
    private static func attempt(after error: HTTPClientError, waited: Duration) -> Attempt {
        switch error {
        case .refused, .other:
            return .retry(reason: error.description, after: nil)
        case .timeout where waited < timeout - .seconds(5):
            return .retry(reason: "\(error.description) (no connection)", after: nil)
        case .timeout, .lost, .canceled, .tooLarge:
            return .giveUp(reason: "\(error.description); it may have arrived, so it is not sent again")
        }
    }
}
