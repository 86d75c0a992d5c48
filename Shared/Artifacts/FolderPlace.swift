import Foundation
import Messages

/// A content-addressed folder: `<root>/sha256/ab/<hex>`.
struct FolderPlace: ArtifactPlace {
    let root: String
    let queue: FileQueue

    var address: String { root }

    private func folder(of digest: Digest) -> String { "\(root)/sha256/\(digest.hex.prefix(2))" }

    func name(of digest: Digest) -> String { "\(folder(of: digest))/\(digest.hex)" }

    func file(of digest: Digest) -> String? { name(of: digest) }

    func find(_ digest: Digest) async throws -> StoredArtifact? {
        let path = name(of: digest)
        return try await queue.run { try Self.look(path, digest) }
    }

    private static func look(_ path: String, _ digest: Digest) throws -> StoredArtifact? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw DurableFile.failure(path)
        }
        let modified = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        return StoredArtifact(
            digest: digest, size: Int64(status.st_size), modified: Timestamp(milliseconds: modified))
    }

    func renew(_ found: StoredArtifact) async throws -> Bool {
        let path = name(of: found.digest)
        return try await queue.run {
            guard utimensat(AT_FDCWD, path, nil, 0) == 0 else { throw DurableFile.failure(path) }
            return true
        }
    }

    func keep(
        _ path: String, as digest: Digest, size: Int64, hold: @Sendable () async throws -> SweepLock
    ) async throws {
        let lock = try await hold()
        defer { withExtendedLifetime(lock) {} }
        let (target, folder) = (name(of: digest), folder(of: digest))
        try await queue.run {
            try DurableFile.synchronize(path)
            try DurableFile.createFolder(folder)
            chmod(path, 0o444)
            guard rename(path, target) == 0 else { throw DurableFile.failure(target) }
            try DurableFile.synchronizeFolder(folder)
            unlink(target + Self.damagedEnding)
        }
    }

    /// Of the name under which damaged bytes wait for somebody to look at them, or for the artifact to be stored again.
    static let damagedEnding = ".damaged"

    func setAside(_ damaged: StoredArtifact) async throws -> String? {
        let path = name(of: damaged.digest)
        return try await queue.run { () -> String? in
            guard try Self.look(path, damaged.digest) == damaged else { return nil }
            let aside = path + Self.damagedEnding
            guard rename(path, aside) == 0 else { throw DurableFile.failure(path) }
            return aside
        }
    }

    func absence(of digest: Digest) async throws -> ArtifactError {
        let aside = name(of: digest) + Self.damagedEnding
        let isDamaged = try await queue.run { DurableFile.size(of: aside) != nil }
        return isDamaged ? .corrupted(digest, path: aside) : .missing(digest)
    }

    func damaged() async throws -> [StoredArtifact] {
        let root = "\(root)/sha256"
        var all: [StoredArtifact] = []
        for prefix in try await names(in: root) {
            let names = try await names(in: "\(root)/\(prefix)").filter { $0.hasSuffix(Self.damagedEnding) }
            all += try await queue.run {
                try names.compactMap { name -> StoredArtifact? in
                    let digest = Digest("sha256:\(name.dropLast(Self.damagedEnding.count))")
                    var found = try digest.flatMap { try Self.look("\(root)/\(prefix)/\(name)", $0) }
                    found?.isDamaged = true
                    return found
                }
            }
        }
        return all
    }

    func removeDamaged(_ digest: Digest, before time: Timestamp) async throws -> Bool {
        let aside = name(of: digest) + Self.damagedEnding
        return try await queue.run { () -> Bool in
            guard let found = try Self.look(aside, digest), found.modified < time else { return false }
            guard unlink(aside) == 0 || errno == ENOENT else { throw DurableFile.failure(aside) }
            return true
        }
    }

    func open(_ digest: Digest, from offset: Int64) async throws -> any ArtifactPieces {
        let path = name(of: digest)
        return try await queue.run { [queue] in
            guard DurableFile.size(of: path) != nil else { throw ArtifactError.missing(digest) }
            return FilePieces(file: try OpenFile(path, from: offset), queue: queue)
        }
    }

    func list(_ visit: @Sendable ([StoredArtifact]) async throws -> Void) async throws {
        let root = "\(root)/sha256"
        for prefix in try await names(in: root) {
            let names = try await names(in: "\(root)/\(prefix)")
            let found = try await queue.run {
                try names.compactMap { name in
                    try Digest("sha256:\(name)").flatMap { try Self.look("\(root)/\(prefix)/\(name)", $0) }
                }
            }
            if !found.isEmpty { try await visit(found) }
        }
    }

    private func names(in folder: String) async throws -> [String] {
        try await queue.run {
            guard DurableFile.size(of: folder) != nil else { return [] }
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        }
    }

    func remove(_ digest: Digest) async throws {
        let path = name(of: digest)
        try await queue.run {
            guard unlink(path) == 0 || errno == ENOENT else { throw DurableFile.failure(path) }
        }
    }

    /// What is unfinished lies among the store's temporary files.
    func removeUnfinished(before time: Timestamp, dryRun: Bool) async throws -> Int { 0 }
}

/// A file that is read from front to end.
private actor FilePieces: ArtifactPieces {
    private let file: OpenFile
    private let queue: FileQueue

    init(file: OpenFile, queue: FileQueue) {
        self.file = file
        self.queue = queue
    }

    func next() async throws -> Data? {
        let piece = try await queue.run { [file] in try file.read(upTo: 1 << 20) }
        return piece.isEmpty ? nil : piece
    }
}
