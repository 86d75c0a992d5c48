import Foundation
import GRDB
import Messages
import Store

/// A file under the artifact root.
struct StoredFile: Hashable, Sendable {
    var path: String
    var digest: Digest
    var size: Int64
}

enum ArtifactQueries {
    static func file(_ path: ArtifactPath, _ db: Database) throws -> StoredFile? {
        try db.row("SELECT path, digest, size FROM artifact WHERE path = ?", [path.text]).flatMap(file)
    }

    private static func file(_ row: Row) -> StoredFile? {
        Digest(row["digest"]).map { StoredFile(path: row["path"], digest: $0, size: row["size"]) }
    }

    /// All files below a folder, in the order of their paths.
    static func files(below folder: ArtifactPath, limit: Int, _ db: Database) throws -> [StoredFile] {
        let (first, end) = range(folder)
        return try db.rows(
            "SELECT path, digest, size FROM artifact WHERE path >= ? AND path < ? ORDER BY path LIMIT ?",
            [first, end, limit]
        ).compactMap(file)
    }

    /// What stands directly in a folder; its folders are jumped over, however full they are.
    static func list(_ folder: ArtifactPath, limit: Int, _ db: Database) throws -> [JSONValue] {
        let (first, end) = range(folder)
        var items: [JSONValue] = []
        var next = try db.row("\(item) path >= ? AND path < ? ORDER BY path LIMIT 1", [first, end])
        while items.count < limit, let row = next {
            let path: String = row["path"]
            let rest = path.dropFirst(first.count)
            if let slash = rest.firstIndex(of: "/") {
                let name = rest[..<slash]
                items.append(["path": .string(String(name)), "is_dir": true])
                // '0' comes right after '/'.
                next = try db.row("\(item) path >= ? AND path < ? ORDER BY path LIMIT 1", [first + name + "0", end])
            } else {
                var file: [String: JSONValue] = ["path": .string(String(rest)), "is_dir": false]
                // MLflow leaves a size of nothing out.
                if (row["size"] as Int) > 0 { file["file_size"] = .int(row["size"]) }
                items.append(.object(file))
                next = try db.row("\(item) path > ? AND path < ? ORDER BY path LIMIT 1", [path, end])
            }
        }
        return items
    }

    private static let item = "SELECT path, size FROM artifact WHERE"

    static func hasFiles(below folder: ArtifactPath, _ db: Database) throws -> Bool {
        let (first, end) = range(folder)
        return try db.has("SELECT 1 FROM artifact WHERE path >= ? AND path < ? LIMIT 1", [first, end])
    }

    private static func range(_ folder: ArtifactPath) -> (first: String, end: String) {
        folder.isRoot ? ("", "\u{10FFFF}") : (folder.text + "/", folder.text + "0")
    }
}

extension Transaction {
    func put(_ file: StoredFile, at path: ArtifactPath) throws {
        guard !path.isRoot, try !ArtifactQueries.hasFiles(below: path, db) else {
            throw MLflowError.invalid("'\(path.text)' is a folder")
        }
        for parent in path.parents {
            guard try !db.has("SELECT 1 FROM artifact WHERE path = ?", [parent]) else {
                throw MLflowError.invalid("'\(parent)' is a file, so nothing can be stored below it")
            }
        }
        try db.run(
            """
            INSERT INTO artifact (path, digest, size, time) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET digest = excluded.digest, size = excluded.size, time = excluded.time
            """, [path.text, file.digest.text, file.size, now.milliseconds])
    }

    /// A file, or a folder with all that is in it; nothing happens when there is none.
    func remove(artifact path: ArtifactPath) throws {
        guard !path.isRoot else { throw MLflowError.invalid("Invalid path") }
        try db.run(
            "DELETE FROM artifact WHERE path = ? OR (path >= ? AND path < ?)",
            [path.text, path.text + "/", path.text + "0"])
    }

    /// What a list of files names stays as long as the list does.
    ///
    /// - Throws: `MLflowError` where nothing refers to one of them any more: it was deleted since it was looked up, and a
    ///   sweep may have taken it.
    func remember(list: Digest, files: [StoredFile]) throws {
        if try db.has("SELECT 1 FROM listed_file WHERE list = ? LIMIT 1", [list.text]) { return }
        for file in files {
            guard
                try db.has("SELECT 1 FROM artifact WHERE digest = ? LIMIT 1", [file.digest.text])
                    || db.has("SELECT 1 FROM listed_file WHERE digest = ? LIMIT 1", [file.digest.text])
            else {
                throw MLflowError(.unavailable, "'\(file.path)' was deleted while the files were looked at; ask again")
            }
            try db.run(
                "INSERT INTO listed_file (list, digest) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [list.text, file.digest.text])
        }
    }
}
