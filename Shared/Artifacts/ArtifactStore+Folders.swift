import Foundation
import Messages

extension ArtifactStore {
    /// Stores a folder as a tar archive. The same files give the same digest: names sorted, no owners, no times.
    package func pack(directory: String) async throws -> ModelArtifact {
        let (staged, files) = try await queue.run { [self] in try archive(directory) }
        defer { unlink(staged.path) }
        try await keep(staged)
        return ModelArtifact(digest: staged.digest, size: staged.size, allFiles: files)
    }

    private func archive(_ directory: String) throws -> (Staged, [String]) {
        let entries = try FolderEntries(of: directory)
        let archive = try temporaryPath()
        let list = archive + ".names"
        defer { unlink(list) }
        do {
            let names = entries.all.map { $0 + "\0" }.joined()
            try DurableFile(creating: list).write(Data(names.utf8))
            _ = try TarProgram.run([
                "--create", "--file=\(archive)", "--format=gnu", "--directory=\(directory)",
                "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=a+rX,u+w,go-w",
                "--hard-dereference", "--no-recursion", "--null", "--verbatim-files-from", "--files-from=\(list)",
            ])
            var hash = ContentHash()
            var size: Int64 = 0
            try DurableFile.eachPiece(of: archive) { piece in
                hash.update(piece)
                size += Int64(piece.count)
            }
            return (Staged(path: archive, digest: hash.digest, size: size), entries.files)
        } catch {
            unlink(archive)
            throw error
        }
    }

    /// Unpacks an archive, or a list of files, into a folder that is new or empty; it is there completely or not at all.
    ///
    /// - Parameter keepingLinks: links that lead out of the folder are made as they are, as a repository's files need
    ///   it; nothing is written through them. Otherwise they are refused, as a model's files must.
    package func extract(_ digest: Digest, to directory: String, keepingLinks: Bool = false) async throws {
        let target = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        if let list = try await fileList(digest) {
            let staging = try await queue.run { try Self.stagingFolder(for: target) }
            do {
                try await unfold(list, into: staging)
                try await queue.run { try Self.move(staging, to: target) }
            } catch {
                try? FileManager.default.removeItem(atPath: staging)
                throw error
            }
            return
        }
        try await withFile(of: digest) { archive in
            let staging = try Self.stagingFolder(for: target)
            do {
                try Self.unpack(archive, into: staging, keepingLinks: keepingLinks)
                try Self.move(staging, to: target)
            } catch {
                try? FileManager.default.removeItem(atPath: staging)
                throw error
            }
        }
    }

    private static func stagingFolder(for target: String) throws -> String {
        if let held = try? FileManager.default.contentsOfDirectory(atPath: target), !held.isEmpty {
            throw ArtifactError.destinationNotEmpty(target)
        }
        try DurableFile.createFolder((target as NSString).deletingLastPathComponent)
        let staging = "\(target).\(UUID().uuidString.prefix(8).lowercased()).partial"
        try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: false)
        return staging
    }

    private static func move(_ staging: String, to target: String) throws {
        guard rename(staging, target) == 0 else { throw DurableFile.failure(target) }
    }

    /// The paths inside an archive, as tar lists them, or of a list of files.
    package func names(of digest: Digest) async throws -> [String] {
        if let list = try await fileList(digest) { return list.files.map(\.path) }
        return try await withFile(of: digest) { try Self.names(in: $0) }
    }

    private static func names(in archive: String) throws -> [String] {
        try TarProgram.run(["--list", "--absolute-names", "--quoting-style=escape", "--file=\(archive)"])
            .split(separator: "\n").map(String.init)
    }

    private static func unpack(_ archive: String, into folder: String, keepingLinks: Bool) throws {
        for name in try names(in: archive) where name.hasPrefix("/") || name.split(separator: "/").contains("..") {
            throw ArtifactError.leavesFolder(entry: name)
        }
        _ = try TarProgram.run([
            "--extract", "--file=\(archive)", "--directory=\(folder)", "--no-same-owner", "--no-same-permissions",
        ])
        // tar makes links that lead out last, so it never writes through one; left is where they lead readers.
        _ = try FolderEntries(of: folder, anyLinks: keepingLinks)
    }
}

/// A folder's content, sorted, every link checked.
struct FolderEntries {
    /// Folders, files and links, parents first.
    private(set) var all: [String] = []
    private(set) var files: [String] = []

    private let anyLinks: Bool

    /// - Parameter anyLinks: links may lead out; they are never followed here.
    init(of folder: String, anyLinks: Bool = false) throws {
        self.anyLinks = anyLinks
        try walk(folder, inside: "")
        all.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        files.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func walk(_ folder: String, inside prefix: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let entry = prefix + name
            let path = folder + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0 else { throw DurableFile.failure(path) }
            all.append(entry)
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try walk(path, inside: entry + "/")
            case S_IFREG: files.append(entry)
            case S_IFLNK:
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: path)
                guard anyLinks || Self.stays(target, of: entry) else { throw ArtifactError.leavesFolder(entry: entry) }
                files.append(entry)
            default: throw ArtifactError.unsupported(entry: entry)
            }
        }
    }

    /// Whether a link's target, read from where the link is, never climbs above the folder.
    static func stays(_ target: String, of entry: String) -> Bool {
        guard !target.hasPrefix("/") else { return false }
        var depth = entry.split(separator: "/").count - 1
        for part in target.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { return false }
        }
        return true
    }
}
