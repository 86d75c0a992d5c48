import Foundation
import ServiceKit
import Testing

@Suite struct SecretsTests {
    private func inFolder(_ body: (DataPaths) throws -> Void) throws {
        let paths = DataPaths(root: NSTemporaryDirectory() + "secrets-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: paths.root) }
        try FileManager.default.createDirectory(atPath: paths.secrets, withIntermediateDirectories: true)
        try body(paths)
    }

    @Test func `a secret is its file's text without the line's end, and a missing one names its place`() throws {
        try inFolder { paths in
            try "s3cret\n".write(toFile: paths.secrets + "/HOOK", atomically: true, encoding: .utf8)
            #expect(try Secrets(paths: paths).value(of: "HOOK") == "s3cret")
            #expect(try Secrets(paths: paths).stored("NONE") == nil)
            let missing = #expect(throws: SecretError.self) { try Secrets(paths: paths).value(of: "NO_SUCH_SECRET") }
            #expect(missing?.description.contains("put it into \(paths.secrets)/NO_SUCH_SECRET") == true)
        }
    }

    @Test func `a secret that is there and cannot be read is not called missing`() throws {
        try inFolder { paths in
            // Whoever runs the tests may read every file, but no folder as if it were one.
            try FileManager.default.createDirectory(
                atPath: paths.secrets + "/HOOK", withIntermediateDirectories: false)
            let problem = #expect(throws: SecretError.self) { try Secrets(paths: paths).value(of: "HOOK") }
            #expect(problem?.description.contains("\(paths.secrets)/HOOK cannot be read: ") == true)
        }
    }
}
