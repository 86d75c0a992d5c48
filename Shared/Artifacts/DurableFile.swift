import CProcess
import Foundation
import Glibc

/// A file that is on the disk, not only in memory, once `synchronize` has returned.
final class DurableFile: Sendable {
    private let descriptor: Int32
    private let path: String

    init(creating path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    init(appendingTo path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func write(_ bytes: Data) throws {
        try bytes.withUnsafeBytes { (buffer: UnsafeRawBufferPointer) in
            var written = 0
            while written < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw Self.failure(path) }
                written += count
            }
        }
    }

    /// Has the system write these bytes to the disk soon, so that ``synchronize()`` of a large file has little left to wait
    /// for. Only that makes them durable.
    func beginSynchronizing(from offset: Int64, count: Int64) {
        cprocess_begin_synchronizing(descriptor, off_t(offset), off_t(count))
    }

    func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw Self.failure(path) }
    }
}

extension DurableFile {
    /// What `errno` says just now, with the place.
    static func failure(_ path: String) -> ArtifactError {
        .file(path: path, problem: String(cString: strerror(errno)))
    }

    static func size(of path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Int64(status.st_size)
    }

    static func createFolder(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0 { return }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // A new folder survives a power cut only when its parent was written too.
        try synchronizeFolder((path as NSString).deletingLastPathComponent)
    }

    static func synchronizeFolder(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    static func eachPiece(of path: String, _ body: (Data) throws -> Void) throws {
        let file = try OpenFile(path)
        while true {
            let piece = try file.read(upTo: 1 << 20)
            if piece.isEmpty { return }
            try body(piece)
        }
    }

    /// What somebody else wrote there is on the disk when this returns.
    static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }
}

/// A file that is read from a place on; one reader.
final class OpenFile: Sendable {
    private let descriptor: Int32
    private let path: String

    init(_ path: String, from offset: Int64 = 0) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0, offset == 0 || lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
            throw DurableFile.failure(path)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Empty at the end.
    func read(upTo limit: Int) throws -> Data {
        // Most files are small: a large piece of memory for each would cost more than to read and to hash it. And it is
        // not filled with zeros first.
        let room = min(limit, try left() + 1)
        guard let piece = malloc(room) else { throw DurableFile.failure(path) }
        while true {
            let count = Glibc.read(descriptor, piece, room)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                free(piece)
                if count == 0 { return Data() }
                throw DurableFile.failure(path)
            }
            return Data(bytesNoCopy: piece, count: count, deallocator: .free)
        }
    }

    /// Bytes from the place of reading to the end, as it is now.
    private func left() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw DurableFile.failure(path) }
        return max(0, Int(status.st_size) - Int(lseek(descriptor, 0, SEEK_CUR)))
    }

    func read(at offset: Int64, count: Int) throws -> Data {
        var piece = Data(count: count)
        var filled = 0
        while filled < count {
            let got = piece.withUnsafeMutableBytes { bytes in
                pread(
                    descriptor, bytes.baseAddress?.advanced(by: filled), count - filled, off_t(offset) + off_t(filled))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw DurableFile.failure(path) }
            if got == 0 { break }
            filled += got
        }
        return piece.prefix(filled)
    }
}
