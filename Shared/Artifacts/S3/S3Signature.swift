import Crypto
import Foundation

/// AWS Signature Version 4 of one request.
///
/// Not libcurl's own: up to 8.1 it signs headers that it does not send, and leaves the query unsorted.
struct S3Signature {
    var region: String
    var credentials: S3Bucket.Credentials
    /// Seconds count; it travels with the request.
    var date: Date

    static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// The headers that prove who asks, with what is asked for.
    ///
    /// - Parameters:
    ///   - path: as it is sent, percent-encoded.
    ///   - query: encoded pairs in any order.
    ///   - payload: SHA-256 of the body, in hex.
    func headers(
        method: String, host: String, path: String, query: [(name: String, value: String)],
        headers given: [(name: String, value: String)], payload: String
    ) -> [(name: String, value: String)] {
        let time = Self.time(date)
        var all = given + [("x-amz-content-sha256", payload), ("x-amz-date", time)]
        if let session = credentials.session { all.append(("x-amz-security-token", session)) }
        let signed = (all + [("host", host)]).map { ($0.name.lowercased(), $0.value) }.sorted { $0.0 < $1.0 }
        let names = signed.map(\.0).joined(separator: ";")
        let canonical = [
            method, path, Self.text(query), signed.map { "\($0):\($1)\n" }.joined(), names, payload,
        ].joined(separator: "\n")
        let scope = "\(time.prefix(8))/\(region)/s3/aws4_request"
        let statement = ["AWS4-HMAC-SHA256", time, scope, Self.hex(SHA256.hash(data: Data(canonical.utf8)))]
            .joined(separator: "\n")
        var key = SymmetricKey(data: Data("AWS4\(credentials.secret)".utf8))
        for part in [String(time.prefix(8)), region, "s3", "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Data(part.utf8), using: key))
        }
        let signature = Self.hex(HMAC<SHA256>.authenticationCode(for: Data(statement.utf8), using: key))
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credentials.key)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
        return all + [("Authorization", authorization)]
    }

    /// As it is signed, and as it must be sent.
    static func text(_ query: [(name: String, value: String)]) -> String {
        query.sorted { ($0.name, $0.value) < ($1.name, $1.value) }.map { "\($0.name)=\($0.value)" }
            .joined(separator: "&")
    }

    /// Percent-encoded as S3 counts it: all but unreserved characters.
    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? text
    }

    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func sha256(_ bytes: Data) -> String { hex(SHA256.hash(data: bytes)) }

    /// `20130524T000000Z`.
    static func time(_ date: Date) -> String {
        date.formatted(.iso8601).replacing("-", with: "").replacing(":", with: "")
    }
}
