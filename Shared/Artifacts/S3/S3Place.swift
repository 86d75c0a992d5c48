import Foundation
import HTTPClient
import Messages

/// Artifacts in a bucket: `<prefix>/sha256/ab/<hex>`.
struct S3Place: ArtifactPlace {
    /// Younger than this a kept artifact needs no renewing: no sweep takes what is that young.
    static let young = Duration.seconds(3600)

    let bucket: S3Bucket
    let queue: FileQueue
    private let client: S3Client

    init(bucket: S3Bucket, queue: FileQueue) {
        self.bucket = bucket
        self.queue = queue
        client = S3Client(bucket: bucket)
    }

    private static func key(_ digest: Digest) -> String { "sha256/\(digest.hex.prefix(2))/\(digest.hex)" }

    var address: String { bucket.address }

    func name(of digest: Digest) -> String { "\(bucket.address)/\(Self.key(digest))" }

    func find(_ digest: Digest) async throws -> StoredArtifact? {
        let answer = try await client.ask(.init(method: "HEAD", key: Self.key(digest), accepts: [404]))
        guard answer.isSuccess, let size = answer.header("Content-Length").flatMap({ Int64($0) }) else { return nil }
        let modified = answer.header("Last-Modified").flatMap(Self.date) ?? Date()
        return StoredArtifact(digest: digest, size: size, modified: Timestamp(modified))
    }

    /// `Wed, 21 Oct 2026 07:28:00 GMT`.
    static func date(_ text: String) -> Date? {
        let form = DateFormatter()
        form.locale = Locale(identifier: "en_US_POSIX")
        form.timeZone = TimeZone(secondsFromGMT: 0)
        form.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return form.date(from: text)
    }

    func renew(_ found: StoredArtifact) async throws -> Bool {
        Date().timeIntervalSince(found.modified.date) < Double(Self.young.components.seconds)
    }

    func keep(
        _ path: String, as digest: Digest, size: Int64, hold: @Sendable () async throws -> SweepLock
    ) async throws {
        let file = try await queue.run { try OpenFile(path) }
        let parts = S3Parts(size: size)
        guard parts.count > 1 else {
            let lock = try await hold()
            defer { withExtendedLifetime(lock) {} }
            let body = try await queue.run { try file.read(at: 0, count: Int(size)) }
            _ = try await client.ask(.init(method: "PUT", key: Self.key(digest), body: body))
            return
        }
        let upload = S3Upload(client: client, key: Self.key(digest), parts: parts)
        try await upload.run(hold: hold) { number in
            let range = parts.range(of: number)
            return try await queue.run { try file.read(at: range.lowerBound, count: range.count) }
        }
        guard try await find(digest)?.size == size else {
            throw ArtifactError.bucket(bucket.address, "the upload of \(digest) ended, but it is not there; try again")
        }
    }

    func open(_ digest: Digest, from offset: Int64) async throws -> any ArtifactPieces {
        let pieces = S3Pieces(client: client, key: Self.key(digest), digest: digest, offset: offset)
        try await pieces.begin()
        return pieces
    }

    func remove(_ digest: Digest) async throws {
        _ = try await client.ask(.init(method: "DELETE", key: Self.key(digest), accepts: [404]))
    }

    func list(_ visit: @Sendable ([StoredArtifact]) async throws -> Void) async throws {
        var token: String?
        repeat {
            var query = [("list-type", "2"), ("max-keys", "1000"), ("prefix", full("sha256/"))]
            if let token { query.append(("continuation-token", token)) }
            let answer = try await listing(query)
            let found = answer.items("Contents").compactMap { item -> StoredArtifact? in
                guard let name = item["Key"]?.split(separator: "/").last, let digest = Digest("sha256:\(name)"),
                    let size = item["Size"].flatMap({ Int64($0) }),
                    let time = item["LastModified"].flatMap(Timestamp.init)
                else { return nil }
                return StoredArtifact(digest: digest, size: size, modified: time)
            }
            if !found.isEmpty { try await visit(found) }
            token = answer.text("NextContinuationToken")
        } while token != nil
    }

    private func full(_ key: String) -> String { bucket.prefix.isEmpty ? key : bucket.prefix + "/" + key }

    private func listing(_ query: [(name: String, value: String)]) async throws -> S3Answer {
        let response = try await client.ask(.init(method: "GET", query: query))
        guard let answer = S3Answer(response.body) else {
            throw ArtifactError.bucket(
                bucket.address, "answered something else than S3 does; check MARTLET_S3_ENDPOINT")
        }
        return answer
    }

    func removeUnfinished(before time: Timestamp, dryRun: Bool) async throws -> Int {
        let answer = try await listing([("uploads", ""), ("prefix", full("sha256/"))])
        var count = 0
        for item in answer.items("Upload") {
            guard let name = item["Key"]?.split(separator: "/").last, let digest = Digest("sha256:\(name)"),
                let id = item["UploadId"], let begun = item["Initiated"].flatMap(Timestamp.init), begun < time
            else { continue }
            count += 1
            if dryRun { continue }
            _ = try await client.ask(
                .init(method: "DELETE", key: Self.key(digest), query: [("uploadId", id)], accepts: [404]))
        }
        return count
    }
}

/// An object's bytes; a connection that breaks is taken up where it broke.
private actor S3Pieces: ArtifactPieces {
    private let client: S3Client
    private let key: String
    private let digest: Digest
    private var offset: Int64
    private var stream: HTTPStream?
    private var breaks = 0

    init(client: S3Client, key: String, digest: Digest, offset: Int64) {
        self.client = client
        self.key = key
        self.digest = digest
        self.offset = offset
    }

    func begin() async throws {
        let headers = offset == 0 ? [] : [(name: "range", value: "bytes=\(offset)-")]
        let stream = try await client.stream(.init(method: "GET", key: key, headers: headers, accepts: [404, 416]))
        if stream.head.status == 404 { throw ArtifactError.missing(digest) }
        self.stream = stream.head.status == 416 ? nil : stream
    }

    func next() async throws -> Data? {
        while true {
            do {
                return try await piece()
            } catch let error as HTTPClientError {
                guard error.isTransient, breaks < S3Client.tries else { throw error }
            }
            breaks += 1
            try await Task.sleep(for: .milliseconds(100 << breaks))
            try await begin()
        }
    }

    private func piece() async throws -> Data? {
        guard let stream else { return nil }
        var reader = stream.makeAsyncIterator()
        guard let piece = try await reader.next() else { return nil }
        offset += Int64(piece.count)
        breaks = 0
        return piece
    }
}
