import Foundation
import Messages
import Processes
import Testing

@testable import Artifacts

@Suite final class ArtifactsTests {
    let folder: String
    let store: ArtifactStore

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("artifacts-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = ArtifactStore(root: folder + "/store")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func write(_ text: String, to path: String) throws {
        let file = folder + "/" + path
        let parent = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    @Test func `the same bytes are the same artifact, under their SHA-256`() async throws {
        let digest = try await store.put(Data("abc".utf8))
        #expect(digest.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(store.path(of: digest).hasSuffix("/sha256/ba/\(digest.hex)"))
        #expect(try await store.put(Data("abc".utf8)) == digest)
        try write("abc", to: "file")
        #expect(try await store.put(file: folder + "/file") == digest)
        #expect(try await store.read(digest) == Data("abc".utf8))
        #expect(try await store.size(digest) == 3)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/store/tmp").isEmpty)
    }

    @Test func `a part is read where it is wanted, and nothing behind the end`() async throws {
        let digest = try await store.put(Data("0123456789".utf8))
        #expect(try await store.read(digest, from: 3, upTo: 4) == Data("3456".utf8))
        #expect(try await store.read(digest, from: 8, upTo: 4) == Data("89".utf8))
        #expect(try await store.read(digest, from: 99, upTo: 4).isEmpty)
        let never = Digest(of: Data("never".utf8))
        await #expect(throws: ArtifactError.missing(never)) { try await store.read(never, from: 0, upTo: 1) }
    }

    @Test func `what was never stored is missing`() async throws {
        let digest = Digest(of: Data("never".utf8))
        #expect(try await store.contains(digest) == false)
        await #expect(throws: ArtifactError.missing(digest)) { try await store.read(digest) }
    }

    /// Others in the place of the artifact "good", written long ago.
    private func damaged(by bytes: String) async throws -> (digest: Digest, path: String) {
        let digest = try await store.put(Data("good".utf8))
        let path = store.path(of: digest)
        try FileManager.default.removeItem(atPath: path)
        try Data(bytes.utf8).write(to: URL(fileURLWithPath: path))
        utimes(path, [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)])
        return (digest, path)
    }

    @Test(arguments: ["evil!", "evil"])
    func `changed bytes are noticed when they are read, and healed by storing them again`(_ bytes: String) async throws
    {
        let (digest, path) = try await damaged(by: bytes)
        let expected = ArtifactError.corrupted(digest, path: path + ".damaged")
        await #expect(throws: expected) { try await store.read(digest) }
        await #expect(throws: expected) { try await store.extract(digest, to: folder + "/out") }
        #expect(FileManager.default.contents(atPath: path + ".damaged") == Data(bytes.utf8))
        #expect(try await store.contains(digest) == false)
        try await store.put(Data("good".utf8))
        #expect(try await store.read(digest) == Data("good".utf8))
        #expect(!FileManager.default.fileExists(atPath: path + ".damaged"))
    }

    @Test func `changed bytes that were noticed are healed by a backup`() async throws {
        try await store.put(Data("good".utf8))
        _ = try await store.link(to: folder + "/backup")
        let (digest, _) = try await damaged(by: "evil")
        await #expect(throws: ArtifactError.self) { try await store.verify(digest) }
        #expect(try await store.take(from: folder + "/backup") == 1)
        #expect(try await store.read(digest) == Data("good".utf8))
    }

    @Test func `damaged bytes are swept when nobody refers to the artifact, and it is missing then`() async throws {
        let (digest, path) = try await damaged(by: "evil")
        let aside = path + ".damaged"
        await #expect(throws: ArtifactError.corrupted(digest, path: aside)) { try await store.verify(digest) }
        func sweep(isNeeded: Bool = false, dryRun: Bool = false) async throws -> SweepReport {
            try await store.sweep(grace: .zero, now: Timestamp(Date()), dryRun: dryRun) {
                var references = ReferenceSet()
                if isNeeded { Data(digest.text.utf8).withUnsafeBytes { references.insert(allIn: $0) } }
                return references
            }
        }
        #expect(try await sweep(isNeeded: true).removed.isEmpty)
        #expect(try await sweep(dryRun: true).removed.map(\.digest) == [digest])
        utimes(aside, nil)
        let early = try await sweep()
        #expect(early.removed.isEmpty && early.young == 1)
        await #expect(throws: ArtifactError.corrupted(digest, path: aside)) { try await store.verify(digest) }
        utimes(aside, [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)])
        let swept = try await sweep()
        #expect(swept.removed.map(\.digest) == [digest] && swept.removedBytes == 4)
        #expect(!FileManager.default.fileExists(atPath: aside))
        await #expect(throws: ArtifactError.missing(digest)) { try await store.verify(digest) }
    }

    @Test func `what was stored again while damaged bytes were read stays`() async throws {
        let (digest, path) = try await damaged(by: "evil")
        let bytes = try await store.stream(digest)
        await #expect(throws: ArtifactError.corrupted(digest, path: path)) {
            for try await _ in bytes {
                try FileManager.default.removeItem(atPath: path)
                try await store.put(Data("good".utf8))
            }
        }
        #expect(try await store.read(digest) == Data("good".utf8))
    }

    @Test func `a folder packs to the same digest wherever and whenever it was written`() async throws {
        for copy in ["one", "two"] {
            try write("weights", to: "\(copy)/model/model.pkl")
            try write("{}", to: "\(copy)/model/deep/er/meta.json")
        }
        chmod(folder + "/two/model/model.pkl", 0o600)
        utimes(folder + "/two/model/model.pkl", [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)])
        let one = try await store.pack(directory: folder + "/one/model")
        let two = try await store.pack(directory: folder + "/two/model")
        #expect(one == two)
        #expect(one.files == ["deep/er/meta.json", "model.pkl"])
        #expect(try await store.size(one.digest) == one.size)
    }

    @Test func `a packed folder comes back, into a new folder only`() async throws {
        try write("weights", to: "model/model.pkl")
        try FileManager.default.createSymbolicLink(atPath: folder + "/model/latest", withDestinationPath: "./model.pkl")
        let artifact = try await store.pack(directory: folder + "/model")
        try await store.extract(artifact.digest, to: folder + "/out/a")
        #expect(try String(contentsOfFile: folder + "/out/a/latest", encoding: .utf8) == "weights")
        await #expect(throws: ArtifactError.destinationNotEmpty(folder + "/out/a")) {
            try await store.extract(artifact.digest, to: folder + "/out/a")
        }
    }

    @Test func `an empty folder packs and comes back`() async throws {
        try FileManager.default.createDirectory(atPath: folder + "/empty", withIntermediateDirectories: true)
        let artifact = try await store.pack(directory: folder + "/empty")
        try await store.extract(artifact.digest, to: folder + "/out")
        #expect(artifact.files == [])
        #expect(FileManager.default.fileExists(atPath: folder + "/out"))
    }

    @Test(arguments: ["/etc/passwd", "../secret", "in/../../secret"])
    func `a link that leaves its folder is refused`(target: String) async throws {
        try write("x", to: "model/in/file")
        try FileManager.default.createSymbolicLink(atPath: folder + "/model/link", withDestinationPath: target)
        await #expect(throws: ArtifactError.leavesFolder(entry: "link")) {
            try await store.pack(directory: folder + "/model")
        }
    }

    @Test(arguments: ["../evil", "/tmp/martlet-evil", "a/../../evil"])
    func `an archive whose entry leaves the folder is refused whole`(name: String) async throws {
        let digest = try await store.put(file: try await python("t.addfile(tarfile.TarInfo(sys.argv[2]))", name))
        await #expect(throws: ArtifactError.leavesFolder(entry: name)) {
            try await store.extract(digest, to: folder + "/out")
        }
        #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
    }

    @Test func `an archive that writes through a link is refused whole`() async throws {
        let archive = try await python(
            "l = tarfile.TarInfo('l'); l.type = tarfile.SYMTYPE; l.linkname = sys.argv[2]; t.addfile(l);"
                + "t.addfile(tarfile.TarInfo('l/evil'))", folder)
        let digest = try await store.put(file: archive)
        await #expect(throws: ArtifactError.self) { try await store.extract(digest, to: folder + "/out") }
        #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/evil"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { !$0.hasSuffix(".partial") })
    }

    private func python(_ statement: String, _ argument: String) async throws -> String {
        let archive = folder + "/bad.tar"
        let program = "import tarfile, sys; t = tarfile.open(sys.argv[1], 'w'); \(statement); t.close()"
        let made = try await runCommand(["/usr/bin/env", "python3", "-c", program, archive, argument])
        try #require(made.end == .code(0), "\(made.errors)")
        return archive
    }

    @Test func `a live log is read while it is written, and sealed once`() async throws {
        let item = "run/job/step/1"
        let log = try store.liveLog(item)
        #expect(log.path.hasSuffix("/live/run.job.step.1.log"))
        try await log.append(Data("one\n".utf8))
        var read = try await store.readLive(item, from: 0)
        #expect(read.bytes == Data("one\n".utf8) && !read.sealed)
        try await log.append(Data("two\n".utf8))
        let digest = try await log.seal()
        #expect(try await store.liveLog(item).seal() == digest)
        read = try await store.readLive(item, from: 4)
        #expect(read.bytes == Data("two\n".utf8) && read.sealed)
        #expect(try await store.read(digest) == Data("one\ntwo\n".utf8))
    }

    @Test func `an item's name cannot lead a live log elsewhere`() throws {
        let log = try store.liveLog("../../etc/x y\0z")
        #expect(log.path == folder + "/store/live/......etc.x_y_z.log")
    }

    @Test func `a repository's link that leads out is kept as it is`() async throws {
        let archive = try await python(
            "l = tarfile.TarInfo('data'); l.type = tarfile.SYMTYPE; l.linkname = sys.argv[2]; t.addfile(l)", folder)
        let digest = try await store.put(file: archive)
        try await store.extract(digest, to: folder + "/out", keepingLinks: true)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/out/data") == folder)
        await #expect(throws: ArtifactError.leavesFolder(entry: "data")) {
            try await store.extract(digest, to: folder + "/model")
        }
    }

    @Test func `nothing is written through a link that is kept`() async throws {
        let archive = try await python(
            "l = tarfile.TarInfo('l'); l.type = tarfile.SYMTYPE; l.linkname = sys.argv[2]; t.addfile(l);"
                + "t.addfile(tarfile.TarInfo('l/evil'))", folder)
        let digest = try await store.put(file: archive)
        await #expect(throws: ArtifactError.self) {
            try await store.extract(digest, to: folder + "/out", keepingLinks: true)
        }
        #expect(!FileManager.default.fileExists(atPath: folder + "/evil"))
    }

    @Test func `of many files an artifact names the first hundred and counts the rest`() async throws {
        for number in 1000..<1150 { try write("", to: "many/\(number)") }
        let artifact = try await store.pack(directory: folder + "/many")
        #expect(artifact.files == (1000..<1100).map(String.init))
        #expect(artifact.fileCount == 150)
        #expect(try await store.names(of: artifact.digest).count == 150)
        let long = (0..<90).map { "\($0)" + String(repeating: "n", count: 200) }
        let bounded = ModelArtifact(digest: artifact.digest, size: 0, allFiles: long)
        #expect(bounded.files.joined().utf8.count <= 8 << 10 && bounded.fileCount == 90)
    }

    @Test func `a long text keeps its beginning and its end within the limit, as JSON counts`() throws {
        let text = "first " + String(repeating: "\u{1b}ü\"", count: 9_000) + " last"
        let short = text.shortened()
        #expect(try Wire.encode(short).count <= (8 << 10) + 2)
        #expect(short.hasPrefix("first ") && short.hasSuffix(" last"))
        #expect("short".shortened() == "short")
    }
}
