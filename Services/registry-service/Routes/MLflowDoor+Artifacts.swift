import Artifacts
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import Store

extension MLflowDoor {
    static let artifactRoot = "/api/2.0/mlflow-artifacts/artifacts"

    func addArtifacts(_ routes: MLflowRoutes) {
        let root = Self.artifactRoot
        routes.get(root, .reading) { call in
            let folder = try ArtifactPath(call.text("path") ?? "")
            try await unfold(folder)
            return try await read { db in
                Self.page("files", try ArtifactQueries.list(folder, limit: Limits.mostRuns, db), .start)
            }
        }
        // The same, as the tracking API says it: by run, and with whole paths.
        routes.get("/artifacts/list", .reading) { call in
            let (run, folder) = (try call.run(), try ArtifactPath(call.text("path") ?? "").text)
            return try await read { db in
                let row = try RunQueries.row(run, db)
                let top = ArtifactPath.run(row["experiment"], run)
                let items = try ArtifactQueries.list(top.appending(folder), limit: Limits.mostRuns, db)
                var answer: [String: JSONValue] = ["root_uri": .string(top.uri)]
                if !items.isEmpty { answer["files"] = .array(items.map { Self.under(folder, $0) }) }
                return .object(answer)
            }
        }
        routes.raw(.get, root + "/**", .reading) { request, _ in try await download(Self.path(of: request)) }
        routes.raw(.put, root + "/**", .writing) { request, caller in
            try await upload(request, to: Self.path(of: request), by: caller)
        }
        routes.raw(.delete, root + "/**", .writing) { request, caller in
            let path = try Self.path(of: request)
            return try await write { tx in
                try caller.checkPath(path, tx.db)
                try tx.remove(artifact: path)
                return Self.done
            }
        }
    }

    /// From the request as it came: what was decoded once already could hide a `..`.
    private static func path(of request: Request) throws -> ArtifactPath {
        let whole = request.head.path ?? ""
        let path = whole.prefix { $0 != "?" }
        guard path.hasPrefix(artifactRoot) else { throw MLflowError.invalid("Invalid path") }
        return try ArtifactPath.encoded(String(path.dropFirst(artifactRoot.count).drop { $0 == "/" }))
    }

    private func download(_ path: ArtifactPath) async throws -> Response {
        try await unfold(path)
        guard let file = try await store.read({ db in try ArtifactQueries.file(path, db) }) else {
            throw MLflowError.missing("No such artifact: '\(path.text)'")
        }
        let pieces: HeldBack
        do {
            pieces = HeldBack(try await artifacts.stream(file.digest))
        } catch let error as ArtifactError {
            throw MLflowError(.broken, "'\(path.text)' cannot be read: \(error)")
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream",
                // What one stored is never run in another's browser.
                .contentDisposition: "attachment", .xContentTypeOptions: "nosniff",
            ],
            body: .init(contentLength: Int(file.size)) { writer in
                // Damaged bytes end the connection before the last of them was sent: no client takes them for whole.
                try await pieces.send { try await writer.write(ByteBuffer(bytes: $0)) }
                try await writer.finish(nil)
            })
    }

    private func upload(_ request: Request, to path: ArtifactPath, by caller: Caller) async throws -> Response {
        guard !path.isRoot else { throw MLflowError.invalid("Invalid path") }
        let most = mostArtifactBytes
        try await store.read { db in try caller.checkPath(path, db) }
        let incoming = try await artifacts.upload()
        var size: Int64 = 0
        for try await piece in request.body {
            size += Int64(piece.readableBytes)
            guard size <= most else { throw MLflowError.invalid("An artifact may have \(most) bytes") }
            try await incoming.append(Data(piece.readableBytesView))
        }
        let stored = try await incoming.finish()
        let file = StoredFile(path: path.text, digest: stored.digest, size: stored.size)
        try await store.write { tx in
            try caller.checkPath(path, tx.db)
            try tx.put(file, at: path)
        }
        return Response(status: .ok)
    }

    /// Shows the files that a version was registered with, once they are asked for: of an archive each file becomes an
    /// artifact, and those of a list get a second path.
    private func unfold(_ path: ArtifactPath) async throws {
        guard let (model, number) = path.version else { return }
        let folder = ArtifactPath.version(model, number)
        let artifact = try await store.read { db in
            try ArtifactQueries.hasFiles(below: folder, db)
                ? nil : try VersionSearch.artifact(number, of: model, db)
        }
        guard let artifact else { return }
        let entries: [FileList.Entry]
        do {
            entries = try await artifacts.entries(of: artifact.digest)
        } catch let error as ArtifactError {
            throw MLflowError(.broken, "version \(number) of '\(model)' cannot be read: \(error)")
        }
        try await store.write { tx in
            for entry in entries {
                try tx.put(
                    StoredFile(path: entry.path, digest: entry.digest, size: entry.size),
                    at: folder.appending(entry.path))
            }
        }
    }
}

/// An artifact's pieces, of which the last is given only when the whole has the right digest: whoever got all of it got
/// what was stored.
private struct HeldBack: Sendable {
    private let bytes: ArtifactBytes

    init(_ bytes: ArtifactBytes) { self.bytes = bytes }

    func send(_ write: (Data) async throws -> Void) async throws {
        var held: Data?
        for try await piece in bytes {
            if let held { try await write(held) }
            held = piece
        }
        if let held { try await write(held) }
    }
}

extension HTTPField.Name {
    fileprivate static let xContentTypeOptions = HTTPField.Name("X-Content-Type-Options") ?? .contentType
}
