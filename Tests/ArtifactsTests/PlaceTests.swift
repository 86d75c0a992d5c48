import Foundation
import Messages
import Testing

@testable import Artifacts

/// What holds for every place where artifacts may be.
@Suite final class PlaceTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case folder, bucket

        var testDescription: String { rawValue }
    }

    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("place-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func store(_ kind: Kind) throws -> ArtifactStore {
        let bucket = try kind == .bucket ? S3Server.shared.get().bucket(prefix: UUID().uuidString) : nil
        return ArtifactStore(root: folder + "/store", bucket: bucket)
    }

    private func all(_ store: ArtifactStore) async throws -> [StoredArtifact] {
        let found = Found()
        try await store.list { await found.add($0) }
        return await found.all
    }

    private actor Found {
        private(set) var all: [StoredArtifact] = []
        func add(_ some: [StoredArtifact]) { all += some }
    }

    /// Every MiB is another one.
    private func large(_ megabytes: Int) throws -> String {
        let path = folder + "/large"
        let file = try DurableFile(creating: path)
        for number in 0..<megabytes {
            try file.write(Data(repeating: UInt8(number), count: 1 << 20))
        }
        return path
    }

    @Test(arguments: Kind.allCases) func `the same bytes are the same artifact, and come back`(_ kind: Kind)
        async throws
    {
        let store = try store(kind)
        let digest = try await store.put(Data("abc".utf8))
        #expect(try await store.put(Data("abc".utf8)) == digest)
        #expect(try await store.read(digest) == Data("abc".utf8))
        #expect(try await store.size(digest) == 3)
        #expect(try await all(store).map(\.digest) == [digest])
        let empty = try await store.put(Data())
        #expect(try await store.read(empty).isEmpty)
    }

    @Test(arguments: Kind.allCases) func `what was never stored is missing`(_ kind: Kind) async throws {
        let store = try store(kind)
        let digest = Digest(of: Data("never".utf8))
        #expect(try await store.contains(digest) == false)
        #expect(try await all(store).isEmpty)
        await #expect(throws: ArtifactError.missing(digest)) { try await store.read(digest) }
        await #expect(throws: ArtifactError.missing(digest)) { try await store.verify(digest) }
        await #expect(throws: ArtifactError.missing(digest)) { try await store.read(digest, from: 0, upTo: 1) }
        await #expect(throws: ArtifactError.missing(digest)) { try await store.extract(digest, to: folder + "/out") }
    }

    @Test(arguments: Kind.allCases) func `a part is read where it is wanted`(_ kind: Kind) async throws {
        let store = try store(kind)
        let digest = try await store.put(Data("0123456789".utf8))
        #expect(try await store.read(digest, from: 3, upTo: 4) == Data("3456".utf8))
        #expect(try await store.read(digest, from: 8, upTo: 4) == Data("89".utf8))
        #expect(try await store.read(digest, from: 10, upTo: 4).isEmpty)
    }

    @Test(arguments: Kind.allCases) func `bytes that come one after the other are stored at their end`(
        _ kind: Kind
    ) async throws {
        let store = try store(kind)
        let upload = try await store.upload()
        for piece in ["one ", "two ", "three"] { try await upload.append(Data(piece.utf8)) }
        #expect(try await all(store).isEmpty)
        let (digest, size) = try await upload.finish()
        #expect(size == 13)
        #expect(try await store.read(digest) == Data("one two three".utf8))
    }

    @Test(arguments: Kind.allCases) func `a folder packs, lists and comes back`(_ kind: Kind) async throws {
        let store = try store(kind)
        try FileManager.default.createDirectory(atPath: folder + "/model", withIntermediateDirectories: true)
        try Data("weights".utf8).write(to: URL(fileURLWithPath: folder + "/model/model.pkl"))
        let artifact = try await store.pack(directory: folder + "/model")
        #expect(try await store.names(of: artifact.digest) == ["model.pkl"])
        try await store.extract(artifact.digest, to: folder + "/out")
        #expect(try String(contentsOfFile: folder + "/out/model.pkl", encoding: .utf8) == "weights")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/store/tmp").isEmpty)
    }

    @Test(arguments: Kind.allCases) func `a log is a file here until it is sealed`(_ kind: Kind) async throws {
        let store = try store(kind)
        let log = try store.liveLog("run/job/step/1")
        try await log.append(Data("one\n".utf8))
        #expect(try await store.readLive("run/job/step/1", from: 0).bytes == Data("one\n".utf8))
        #expect(try await all(store).isEmpty)
        #expect(try await store.read(try await log.seal()) == Data("one\n".utf8))
    }

    @Test(arguments: Kind.allCases) func `a large file goes up and comes down as it was`(_ kind: Kind) async throws {
        let store = try store(kind)
        let digest = try await store.put(file: try large(40))
        #expect(try await store.size(digest) == 40 << 20)
        try await store.verify(digest)
        let part = try await store.read(digest, from: 33 << 20, upTo: 16)
        #expect(part.count == 16)
    }

    @Test(arguments: Kind.allCases) func `a sweep takes what is old and nobody refers to`(_ kind: Kind) async throws {
        let store = try store(kind)
        let (needed, garbage) = (try await store.put(Data("needed".utf8)), try await store.put(Data("garbage".utf8)))
        let later = Timestamp(Date().addingTimeInterval(3 * 3600))
        let references: @Sendable () async throws -> ReferenceSet = {
            var set = ReferenceSet()
            Data("{\"model\":\"\(needed.text)\"}".utf8).withUnsafeBytes { set.insert(allIn: $0) }
            return set
        }
        let now = try await store.sweep(grace: .zero, now: Timestamp(Date()), dryRun: false, references: references)
        #expect(now.removed.isEmpty && now.young == 1, "what is young stays, whatever the grace asked for")
        let shown = try await store.sweep(grace: .zero, now: later, dryRun: true, references: references)
        #expect(shown.removed.map(\.digest) == [garbage] && shown.artifacts == 2 && shown.removedBytes == 7)
        #expect(try await store.contains(garbage))
        let done = try await store.sweep(grace: .zero, now: later, dryRun: false, references: references)
        #expect(done.removed.map(\.digest) == [garbage])
        #expect(try await all(store).map(\.digest) == [needed])
    }

    @Test(arguments: Kind.allCases) func `nothing is removed when somebody does not say what they need`(
        _ kind: Kind
    ) async throws {
        struct Silent: Error {}
        let store = try store(kind)
        let digest = try await store.put(Data("x".utf8))
        await #expect(throws: Silent.self) {
            try await store.sweep(
                grace: .zero, now: Timestamp(Date().addingTimeInterval(1_000_000)), dryRun: false,
                references: { throw Silent() })
        }
        #expect(try await store.contains(digest))
    }

    @Test func `what is stored again while a sweep goes on stays`() async throws {
        let store = try store(.folder)
        let digest = try await store.put(Data("again".utf8))
        let path = store.path(of: digest)
        utimes(path, [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)])
        // Between the listing and the removal.
        let report = try await store.sweep(grace: .zero, now: Timestamp(Date()), dryRun: false) {
            try await store.put(Data("again".utf8))
            return ReferenceSet()
        }
        #expect(report.removed.isEmpty)
        #expect(try await store.read(digest) == Data("again".utf8))
    }

    @Test func `a removal waits for whoever stores, and whoever stores for a removal`() async throws {
        let store = try store(.folder)
        try DurableFile.createFolder(store.root)
        let one = try #require(try SweepLock.attempt(store.lockPath, .together))
        let two = try #require(try SweepLock.attempt(store.lockPath, .together))
        #expect(try SweepLock.attempt(store.lockPath, .alone) == nil)
        withExtendedLifetime((one, two)) {}
        let alone = try await SweepLock.take(store.lockPath + "2", .alone)
        #expect(try SweepLock.attempt(store.lockPath + "2", .together) == nil)
        withExtendedLifetime(alone) {}
    }

    @Test func `files that a dead process left are cleaned away once they are old`() async throws {
        let store = try store(.folder)
        let path = try store.temporaryPath()
        try Data("half".utf8).write(to: URL(fileURLWithPath: path))
        let none: @Sendable () async throws -> ReferenceSet = { ReferenceSet() }
        #expect(
            try await store.sweep(grace: .zero, now: Timestamp(Date()), dryRun: false, references: none).unfinished == 0
        )
        let later = Timestamp(Date().addingTimeInterval(3 * 3600))
        #expect(try await store.sweep(grace: .zero, now: later, dryRun: true, references: none).unfinished == 1)
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(try await store.sweep(grace: .zero, now: later, dryRun: false, references: none).unfinished == 1)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `references are found wherever a digest stands`() {
        let (one, two, three) = (Digest(of: Data("1".utf8)), Digest(of: Data("2".utf8)), Digest(of: Data("3".utf8)))
        var set = ReferenceSet()
        func take(_ bytes: Data) { bytes.withUnsafeBytes { set.insert(allIn: $0) } }
        take(Data("{\"a\":\"\(one.text)\",\"b\":[\"\(two.text)\"]}".utf8))
        take(Data(three.hex.utf8))
        #expect([one, two, three].allSatisfy(set.contains) && set.count == 3)
        take(Data(("f" + one.hex).utf8))
        take(Data(one.hex.dropLast().utf8))
        #expect(set.count == 3, "65 or 63 digits are no digest")
        take(Data(repeating: 7, count: 32))
        #expect(set.count == 4, "32 bytes by themselves may be one")
        var copy = ReferenceSet()
        for part in set.packed(most: 3) { copy.insert(packed: part) }
        #expect(copy == set)
    }
}
