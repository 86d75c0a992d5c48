import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Messages
import ServiceKit
import Store

/// `/runs/<id>` for a browser: what a link in a notification leads to. Whoever looks signs in with a token as password.
struct RunPage: Sendable {
    let gate: Gate
    let store: StateStore

    func add(to router: Router<BasicRequestContext>) {
        router.get("/runs/:run") { request, context -> Response in
            do {
                _ = try await gate.tokens.admit(request, role: .viewer, basic: true)
                guard let text = context.parameters.get("run")?.removingPercentEncoding else {
                    throw Refusal(404, "no such run", hint: "'martlet runs list' shows what there is")
                }
                let run = try await store.read { db in try RunQueries.show(try RunQueries.resolve(text, db), db) }
                return Self.response(.ok, "text/html", RunDocument(run ?? .null).html)
            } catch let refusal as Refusal {
                return Self.response(
                    .init(code: refusal.status), "text/plain", "\(refusal.error)\n\(Self.hint(refusal))\n",
                    challenge: refusal.challenge)
            }
        }
    }

    private static func hint(_ refusal: Refusal) -> String {
        refusal.status == 401
            ? "sign in with any name and an API token as the password; 'martlet tokens create --role viewer' makes one"
            : refusal.hint
    }

    /// Nothing but our own style may take effect, whatever got into the page.
    private static let policy: String = {
        let hash = Data(SHA256.hash(data: Data(RunDocument.style.utf8))).base64EncodedString()
        return
            "default-src 'none'; style-src 'sha256-\(hash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    }()

    private static func response(
        _ status: HTTPResponse.Status, _ type: String, _ text: String, challenge: String? = nil
    ) -> Response {
        var headers: HTTPFields = [
            .contentType: "\(type); charset=utf-8", .cacheControl: "no-store", .contentSecurityPolicy: policy,
            .xContentTypeOptions: "nosniff",
        ]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "no-referrer" }
        if let challenge { headers[.wwwAuthenticate] = challenge }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
