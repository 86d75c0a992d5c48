import Foundation
import Glibc
import Messages

extension ArtifactStore {
    /// As long as it is held nothing is removed.
    package func holdSweeps() async throws -> SweepLock {
        try DurableFile.createFolder(root)
        return try await SweepLock.take(lockPath, .together)
    }

    /// Gives every artifact of the folder another name below `target`: on the same file system this costs no room, since
    /// an artifact never changes; elsewhere it is copied, unless `earlier` has it on that file system already.
    package func link(to target: String, or earlier: String? = nil) async throws -> (count: Int, bytes: Int64) {
        let total = Total()
        try await FolderPlace(root: root, queue: queue).list { [self] some in
            let linked = try await queue.run {
                try some.map { try self.link($0, from: self.root, or: earlier, to: target) }
            }
            await total.add(linked.count, some.reduce(0) { $0 + $1.size })
        }
        return (await total.count, await total.bytes)
    }

    /// Takes what is missing here from a backup's folder.
    /// - Returns: how many.
    package func take(from source: String) async throws -> Int {
        let total = Total()
        try await FolderPlace(root: source, queue: queue).list { [self] some in
            let made = try await queue.run { try some.map { try self.link($0, from: source, to: self.root) } }
            await total.add(made.count { $0 }, 0)
        }
        return await total.count
    }

    private actor Total {
        private(set) var count = 0
        private(set) var bytes: Int64 = 0

        func add(_ some: Int, _ bytes: Int64) {
            count += some
            self.bytes += bytes
        }
    }

    /// `false`: it is there already.
    private func link(
        _ artifact: StoredArtifact, from source: String, or earlier: String? = nil, to target: String
    ) throws -> Bool {
        func place(_ root: String) -> String { FolderPlace(root: root, queue: queue).name(of: artifact.digest) }
        let places = [source, target].map(place)
        if DurableFile.size(of: places[1]) == artifact.size { return false }
        try DurableFile.createFolder((places[1] as NSString).deletingLastPathComponent)
        for old in [places[1], places[1] + FolderPlace.damagedEnding] { unlink(old) }
        // `link` the function of the C library; this method has its name.
        if Glibc.link(places[0], places[1]) == 0 { return true }
        guard [EXDEV, EPERM, EMLINK].contains(errno) else { throw DurableFile.failure(places[1]) }
        if let copy = earlier.map(place), DurableFile.size(of: copy) == artifact.size,
            Glibc.link(copy, places[1]) == 0
        {
            return true
        }
        let partial = places[1] + ".partial"
        unlink(partial)
        let file = try DurableFile(creating: partial)
        try DurableFile.eachPiece(of: places[0]) { try file.write($0) }
        try file.synchronize()
        chmod(partial, 0o444)
        guard rename(partial, places[1]) == 0 else { throw DurableFile.failure(places[1]) }
        return true
    }
}
