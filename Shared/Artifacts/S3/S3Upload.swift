import Foundation
import HTTPClient
import Messages

/// How a file is cut: the same file in the same way, whoever uploads it.
struct S3Parts: Sendable, Equatable {
    /// S3 takes 10,000 parts at most, and none but the last below 5 MiB.
    static let most: Int64 = 10_000
    static let least: Int64 = 16 << 20
    private static let step: Int64 = 1 << 20

    let size: Int64
    let length: Int64

    init(size: Int64) {
        self.size = size
        let needed = (size + Self.most - 1) / Self.most
        length = max(Self.least, (needed + Self.step - 1) / Self.step * Self.step)
    }

    var count: Int { max(1, Int((size + length - 1) / length)) }

    /// - Parameter number: from 1.
    func range(of number: Int) -> Range<Int64> {
        let start = Int64(number - 1) * length
        return start..<min(size, start + length)
    }
}

/// An upload in parts. Its key is the content's digest, so whatever parts an earlier try has left there are these.
struct S3Upload: Sendable {
    /// Parts on their way at once; each is in memory.
    static let atOnce = 3

    let client: S3Client
    let key: String
    let parts: S3Parts

    func run(
        hold: @Sendable () async throws -> SweepLock, part: @escaping @Sendable (Int) async throws -> Data
    ) async throws {
        let earlier = try await begun()
        let id = if let earlier { earlier } else { try await begin() }
        var tags = try await uploaded(id)
        let missing = (1...parts.count).filter { tags[$0] == nil }
        try await withThrowingTaskGroup(of: (Int, String).self) { group in
            var next = missing.makeIterator()
            for number in (0..<Self.atOnce).compactMap({ _ in next.next() }) {
                group.addTask { (number, try await send(number, id, try await part(number))) }
            }
            while let (number, tag) = try await group.next() {
                tags[number] = tag
                if let number = next.next() {
                    group.addTask { (number, try await send(number, id, try await part(number))) }
                }
            }
        }
        let lock = try await hold()
        defer { withExtendedLifetime(lock) {} }
        try await complete(id, tags)
    }

    private func begin() async throws -> String {
        let response = try await client.ask(.init(method: "POST", key: key, query: [("uploads", "")]))
        return try answer(response.body, "UploadId")
    }

    /// The newest upload of this artifact that nobody finished.
    private func begun() async throws -> String? {
        let prefix = client.bucket.prefix.isEmpty ? key : client.bucket.prefix + "/" + key
        let response = try await client.ask(.init(method: "GET", query: [("uploads", ""), ("prefix", prefix)]))
        return S3Answer(response.body)?.items("Upload").filter { $0["Key"] == prefix }
            .max { ($0["Initiated"] ?? "") < ($1["Initiated"] ?? "") }?["UploadId"]
    }

    /// The parts that are there whole, by their number, with their tags.
    private func uploaded(_ id: String) async throws -> [Int: String] {
        var tags: [Int: String] = [:]
        var marker = "0"
        while true {
            let response = try await client.ask(
                .init(
                    method: "GET", key: key,
                    query: [("max-parts", "1000"), ("part-number-marker", marker), ("uploadId", id)], accepts: [404]))
            guard response.isSuccess, let answer = S3Answer(response.body) else { return tags }
            for part in answer.items("Part") {
                guard let number = part["PartNumber"].flatMap({ Int($0) }), (1...parts.count).contains(number),
                    let size = part["Size"].flatMap({ Int64($0) }), let tag = part["ETag"]
                else { continue }
                if size == Int64(parts.range(of: number).count) { tags[number] = tag }
            }
            guard answer.text("IsTruncated") == "true", let next = answer.text("NextPartNumberMarker"), next != marker
            else { return tags }
            marker = next
        }
    }

    private func send(_ number: Int, _ id: String, _ bytes: Data) async throws -> String {
        let response = try await client.ask(
            .init(
                method: "PUT", key: key, query: [("partNumber", String(number)), ("uploadId", id)], body: bytes))
        guard let tag = response.header("ETag") else {
            throw ArtifactError.bucket(client.bucket.address, "took a part without an ETag; is it S3?")
        }
        return tag
    }

    private func complete(_ id: String, _ tags: [Int: String]) async throws {
        let list = tags.sorted { $0.key < $1.key }.map { number, tag in
            "<Part><PartNumber>\(number)</PartNumber><ETag>\(tag.replacing("&", with: "&amp;"))</ETag></Part>"
        }
        let body = "<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>"
        // Gone: a try whose answer was lost has completed it, or somebody else who stored the same. The caller looks.
        _ = try await client.ask(
            .init(
                method: "POST", key: key, query: [("uploadId", id)], headers: [("content-type", "application/xml")],
                body: Data(body.utf8), accepts: [404]))
    }

    private func answer(_ body: Data, _ name: String) throws -> String {
        guard let text = S3Answer(body)?.text(name) else {
            throw ArtifactError.bucket(client.bucket.address, "answered without \(name); check MARTLET_S3_ENDPOINT")
        }
        return text
    }
}
