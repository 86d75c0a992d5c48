import Foundation
import Processes
import Testing

@testable import TriggerService

struct MirrorTests {
    @Test func `a run sees every file of its commit as it is, whatever the project leaves out of its releases`()
        async throws
    {
        let installation = try Installation()
        let upstream = try await Upstream(in: installation)
        let sha = try await upstream.commit(
            [
                ".gitattributes": "/tests export-ignore\n*.md export-ignore\nVERSION export-subst\n",
                "src/.gitattributes": "data export-ignore\n", "src/data/a.csv": "1", "src/a.py": "1",
                "tests/test_a.py": "1", "README.md": "1", "VERSION": "$Format:%H$",
            ], "first")
        let mirror = installation.mirrors["demo"]
        try await mirror.fetch(from: try RepositoryAddress(upstream.path))
        let archive = installation.folder + "/commit.tar"
        // The second time what the first left is there.
        for _ in 0..<2 {
            try await mirror.archive(sha, to: archive)
            let files = try await runCommand(["tar", "-tf", archive]).text.split(separator: "\n")
                .filter { !$0.hasSuffix("/") }
            let tracked = try await upstream.git("ls-files").split(separator: "\n")
            #expect(Set(files) == Set(tracked) && files.count == 7)
            #expect(try await runCommand(["tar", "-xOf", archive, "VERSION"]).text == "$Format:%H$")
        }
    }
}
