import Foundation
import Messages

/// A folder as a list of files that are artifacts themselves: files that many versions share are stored once.
package struct FileList: Codable, Sendable, Hashable {
    package struct Entry: Codable, Sendable, Hashable {
        /// Inside the folder.
        package var path: String
        package var digest: Digest
        /// Bytes.
        package var size: Int64

        package init(path: String, digest: Digest, size: Int64) {
            self.path = path
            self.digest = digest
            self.size = size
        }
    }

    /// What its JSON begins with: names are sorted, so this one comes first.
    static let mark = Data("{\"_martlet\":\"file-list\"".utf8)

    package var files: [Entry]
    private let martlet = "file-list"

    private enum CodingKeys: String, CodingKey {
        case files
        case martlet = "_martlet"
    }

    package init(files: [Entry]) { self.files = files.sorted { $0.path < $1.path } }
}

extension ArtifactStore {
    /// Stores the list; its files are stored already.
    package func put(list: FileList) async throws -> ModelArtifact {
        let digest = try await put(try Wire.encode(list))
        return ModelArtifact(
            digest: digest, size: list.files.reduce(0) { $0 + $1.size }, allFiles: list.files.map(\.path))
    }

    /// The files of a folder's artifact, each an artifact of its own from now on; the order is that of their paths.
    package func entries(of digest: Digest) async throws -> [FileList.Entry] {
        if let list = try await fileList(digest) { return list.files }
        let folder = try temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await extract(digest, to: folder)
        var entries: [FileList.Entry] = []
        for path in try await queue.run({ try FolderEntries(of: folder).files }) {
            let staged = try await queue.run { [self] in try stage(folder + "/" + path) }
            defer { unlink(staged.path) }
            try await keep(staged)
            entries.append(FileList.Entry(path: path, digest: staged.digest, size: staged.size))
        }
        return entries
    }

    /// Checks the artifact's bytes and, where it is a list, those of each of its files.
    package func verifyAll(of digest: Digest) async throws {
        // A list is checked as it is read.
        guard let list = try await fileList(digest) else { return try await verify(digest) }
        var seen: Set<Digest> = []
        for file in list.files where seen.insert(file.digest).inserted {
            try await verify(file.digest)
        }
    }

    /// `nil`: the artifact is something else.
    func fileList(_ digest: Digest) async throws -> FileList? {
        guard try await read(digest, from: 0, upTo: FileList.mark.count) == FileList.mark else { return nil }
        return try Wire.decode(FileList.self, from: try await read(digest))
    }

    /// Makes the folder; each file is checked on its way.
    func unfold(_ list: FileList, into folder: String) async throws {
        for entry in list.files {
            guard !entry.path.hasPrefix("/"), !entry.path.split(separator: "/").contains("..") else {
                throw ArtifactError.leavesFolder(entry: entry.path)
            }
            let target = folder + "/" + entry.path
            try await withFile(of: entry.digest) { source in
                try FileManager.default.createDirectory(
                    atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                let file = try DurableFile(creating: target)
                try DurableFile.eachPiece(of: source) { try file.write($0) }
                chmod(target, 0o644)
            }
        }
    }
}
