import GRDB
import HTTPTypes
import Hummingbird
import Logging
import Messages

/// A JSON answer.
package struct Reply: Sendable {
    package var status: HTTPResponse.Status = .ok
    package var json: JSONValue
    /// `WWW-Authenticate`.
    private var challenge: String?

    package init(_ json: JSONValue, status: HTTPResponse.Status = .ok) {
        self.json = json
        self.status = status
    }

    /// Every failure is told as `{error, hint}`.
    package init(_ refusal: DoorRefusal) {
        self.init(
            ["error": .string(refusal.error), "hint": .string(refusal.hint)],
            status: HTTPResponse.Status(code: refusal.status))
        challenge = refusal.challenge
    }

    package func response() throws -> Response {
        let bytes = try Wire.encode(json)
        var headers: HTTPFields = [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"]
        if let challenge { headers[.wwwAuthenticate] = challenge }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

/// Answers a request, also when it cannot be done: what was refused, a full disk, a stop in the middle.
package func answering(
    _ request: Request, in logger: Logger, _ body: () async throws -> Response
) async throws -> Response {
    do {
        return try await body()
    } catch let refusal as DoorRefusal {
        return try Reply(refusal).response()
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
        return try Reply(
            DoorRefusal(503, "the disk is full: nothing was accepted", hint: "make room and ask again")
        ).response()
    } catch is CancellationError {
        return try Reply(DoorRefusal(503, "the service is stopping", hint: "ask again in a moment")).response()
    } catch {
        logger.error("\(request.method) \(request.uri.path): \(error)")
        return try Reply(
            DoorRefusal(500, "the service could not answer: \(error)", hint: "its log has more; ask again later")
        ).response()
    }
}
