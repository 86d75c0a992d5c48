import Foundation
import Messages

/// A log that is still being written: `<root>/live/<item>.log`, readable meanwhile, an artifact once sealed.
///
/// A process may also write to `path` by itself; only appending is allowed.
package struct LiveLog: Sendable {
    package let path: String
    private let store: ArtifactStore

    fileprivate init(path: String, store: ArtifactStore) {
        self.path = path
        self.store = store
    }

    package func append(_ bytes: Data) async throws {
        try await store.queue.run { [path] in try DurableFile(appendingTo: path).write(bytes) }
    }

    /// Stores what was written as an artifact. Again: the same digest, whatever was appended since.
    package func seal() async throws -> Digest {
        if let earlier = try await store.queue.run({ [path] in LiveLog.seal(of: path) }) { return earlier }
        let digest = try await store.put(file: path)
        try await store.queue.run { [path, store] in
            let temporary = try store.temporaryPath()
            defer { unlink(temporary) }
            let marker = try DurableFile(creating: temporary)
            try marker.write(Data(digest.text.utf8))
            try marker.synchronize()
            guard rename(temporary, path + ".sealed") == 0 else { throw DurableFile.failure(path) }
        }
        return digest
    }

    fileprivate static func seal(of path: String) -> Digest? {
        FileManager.default.contents(atPath: path + ".sealed").flatMap { Digest(String(decoding: $0, as: UTF8.self)) }
    }
}

extension ArtifactStore {
    /// The live log of a work item, made when it is not there yet; what an earlier process wrote stays.
    package func liveLog(_ item: String) throws -> LiveLog {
        let path = livePath(item)
        try DurableFile.createFolder("\(root)/live")
        _ = try DurableFile(appendingTo: path)
        return LiveLog(path: path, store: self)
    }

    /// What was written from that byte on, at most 1 MiB at a time; `sealed`: nothing more will come.
    package func readLive(_ item: String, from offset: Int64) async throws -> (bytes: Data, sealed: Bool) {
        let path = livePath(item)
        return try await queue.run {
            // The seal is looked at first: bytes written between the two looks are then found by the next read.
            let isSealed = LiveLog.seal(of: path) != nil
            guard let size = DurableFile.size(of: path) else {
                throw ArtifactError.file(path: path, problem: "there is no log of this item")
            }
            let limit = 1 << 20
            guard let file = FileHandle(forReadingAtPath: path) else { throw DurableFile.failure(path) }
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(max(0, min(offset, size))))
            let bytes = try file.read(upToCount: limit) ?? Data()
            return (bytes, isSealed && bytes.count < limit)
        }
    }

    /// Work items have slashes and come from project files: what is no plain letter must not become part of a path.
    private func livePath(_ item: String) -> String {
        let name = item.map { character -> Character in
            if character == "/" { return "." }
            let isPlain = character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
            return isPlain ? character : "_"
        }
        return "\(root)/live/\(String(name)).log"
    }
}
