import Foundation
import Messages
import Testing

@testable import Artifacts

@Suite struct FileListTests {
    private let store = ArtifactStore(root: NSTemporaryDirectory() + "file-list-" + UUID().uuidString)

    @Test func `a list of files unpacks as a folder, and is refused where it leads out`() async throws {
        let digest = try await store.put(Data("x".utf8))
        let artifact = try await store.put(
            list: FileList(files: [
                .init(path: "b/c", digest: digest, size: 1), .init(path: "a", digest: digest, size: 1),
            ]))
        #expect(artifact.files == ["a", "b/c"] && artifact.size == 2)
        try await store.extract(artifact.digest, to: store.root + "/out")
        #expect(try String(contentsOfFile: store.root + "/out/b/c", encoding: .utf8) == "x")
        #expect(try await store.names(of: artifact.digest) == ["a", "b/c"])
        #expect(try await store.entries(of: artifact.digest).map(\.path) == ["a", "b/c"])
        let bad = try await store.put(list: FileList(files: [.init(path: "../x", digest: digest, size: 1)]))
        await #expect(throws: ArtifactError.leavesFolder(entry: "../x")) {
            try await store.extract(bad.digest, to: store.root + "/bad")
        }
    }

    @Test func `an archive's files become artifacts of their own`() async throws {
        let folder = store.root + "/in"
        try FileManager.default.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
        try Data("1".utf8).write(to: URL(fileURLWithPath: folder + "/one"))
        try Data("2".utf8).write(to: URL(fileURLWithPath: folder + "/sub/two"))
        let archive = try await store.pack(directory: folder)
        let entries = try await store.entries(of: archive.digest)
        #expect(entries.map(\.path) == ["one", "sub/two"])
        #expect(try await store.read(entries[1].digest) == Data("2".utf8))
    }
}
