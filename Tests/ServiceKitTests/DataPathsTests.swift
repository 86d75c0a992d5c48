import Foundation
import Messages
import ServiceKit
import Store
import Testing

struct DataPathsTests {
    private func inFolder(_ body: (DataPaths) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "paths-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(DataPaths(root: folder))
    }

    @Test(arguments: [(0x6969, "NFS"), (0xFF53_4D42, "SMB")])
    func `a service does not start on another machine's file system, and says so`(type: Int, name: String) throws {
        try inFolder { paths in
            let refusal = #expect(throws: StoreError.self) {
                try paths.prepare(for: .notifier) { $0 == paths.service(.notifier) ? type : 0xEF53 }
            }
            #expect(refusal?.path == paths.service(.notifier))
            #expect(refusal?.problem.contains(name) == true && refusal?.hint.contains("local disk") == true)
        }
    }

    @Test func `a local one is taken, and closed to other users`() throws {
        try inFolder { paths in
            try paths.prepare(for: .notifier)
            let mode = try FileManager.default.attributesOfItem(atPath: paths.root)[.posixPermissions] as? Int
            #expect(mode == 0o700)
        }
    }
}
