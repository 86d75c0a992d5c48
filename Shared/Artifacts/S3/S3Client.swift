import Foundation
import HTTPClient
import Messages

/// Asks a bucket: signs, tries again what may get better, and says what an operator can do about the rest.
struct S3Client: Sendable {
    /// The first try, and those after it: with these waits and a part of chance about 12 s in all.
    static let tries = 7

    let bucket: S3Bucket
    private let http = HTTPClient()

    init(bucket: S3Bucket) { self.bucket = bucket }

    struct Question: Sendable {
        var method: String
        /// Below the prefix; empty for the bucket itself.
        var key = ""
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body: Data?
        /// Statuses beside 2xx that are answers, not errors.
        var accepts: Set<Int> = []
    }

    func ask(_ question: Question) async throws -> HTTPResponse {
        try await trying(question) { request in
            let response = try await http.send(request)
            // S3 may answer 200 and find out later that it failed: the body then is an error.
            if response.isSuccess, question.method == "POST",
                let code = S3Answer(response.body).flatMap({
                    $0.leaves.first?.path.first == "Error" ? $0.text("Code") : nil
                })
            {
                return (response, 500, code)
            }
            return (response, response.status, nil)
        }
    }

    /// The body as it comes. A break in it is the reader's to mend.
    func stream(_ question: Question) async throws -> HTTPStream {
        try await trying(question) { request in
            var request = request
            request.timeout = nil
            request.stallTimeout = .seconds(30)
            let stream = try await http.stream(request)
            return (stream, stream.head.status, nil)
        }
    }

    private func trying<Answer: Sendable>(
        _ question: Question, _ send: (HTTPRequest) async throws -> (Answer, status: Int, code: String?)
    ) async throws -> Answer {
        var attempt = 1
        while true {
            var problem = ""
            do {
                let (answer, status, code) = try await send(try request(question))
                if (200..<300).contains(status) || question.accepts.contains(status) { return answer }
                let said = code ?? (answer as? HTTPResponse).flatMap(Self.said)
                problem = "answered \(status)" + (said.map { " (\($0))" } ?? "")
                guard status >= 500 || status == 429 || status == 408 else { throw refusal(status, problem) }
            } catch let error as HTTPClientError {
                if error == .canceled { throw CancellationError() }
                guard error.isTransient else { throw ArtifactError.bucket(bucket.address, "\(error)") }
                problem = "\(error)"
            }
            guard attempt < Self.tries else {
                throw ArtifactError.bucket(bucket.address, "\(problem), \(Self.tries) times; try again later")
            }
            try await Task.sleep(for: .milliseconds(Int64(100 << attempt) * Int64.random(in: 50...100) / 100))
            attempt += 1
        }
    }

    private func request(_ question: Question) throws -> HTTPRequest {
        let key = question.key.isEmpty ? "" : (bucket.prefix.isEmpty ? "" : bucket.prefix + "/") + question.key
        let url = URLComponents(string: bucket.base)
        // curl does not send the port that goes without saying.
        let port = url?.port.flatMap { $0 == (url?.scheme == "https" ? 443 : 80) ? nil : String($0) }
        let host = [url?.host, port].compactMap(\.self).joined(separator: ":")
        let path = (url?.path ?? "") + "/" + key
        let query = question.query.map { (name: $0.name, value: S3Signature.escape($0.value)) }
        let signature = S3Signature(region: bucket.region, credentials: try bucket.credentials(), date: Date())
        let headers = signature.headers(
            method: question.method, host: host, path: path, query: query, headers: question.headers,
            payload: question.body.map(S3Signature.sha256) ?? S3Signature.empty)
        let text = S3Signature.text(query)
        return HTTPRequest(
            method: question.method, url: "\(bucket.base)/\(key)" + (text.isEmpty ? "" : "?" + text), headers: headers,
            body: question.body, timeout: .seconds(600), stallTimeout: .seconds(30), maxResponseBytes: 16 << 20)
    }

    private static func said(_ response: HTTPResponse) -> String? {
        guard let answer = S3Answer(response.body), let code = answer.text("Code") else { return nil }
        return code + (answer.text("Message").map { ": \($0)" } ?? "")
    }

    private func refusal(_ status: Int, _ problem: String) -> ArtifactError {
        let advice =
            switch status {
            case 401, 403: "check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, the key's rights, and this machine's clock"
            case 301, 307: "check MARTLET_S3_REGION"
            case 404: "check the bucket's name and MARTLET_S3_ENDPOINT"
            default: "see the bucket's own log"
            }
        return .bucket(bucket.address, "\(problem); \(advice)")
    }
}
