import Foundation
import Testing

@testable import Store

struct NetworkFileSystemTests {
    @Test(arguments: [
        (0x6969, "NFS"), (0xFF53_4D42, "SMB"), (-11_317_950, "SMB"), (0xEF53, nil), (0x0102_1994, nil),
        (0x794C_7630, nil),
    ])
    func `file systems of other machines are known by their number`(type: Int, name: String?) {
        #expect(NetworkFileSystem.name(ofType: type) == name)
    }

    @Test func `a local folder is taken, and one that is not there is for others to refuse`() throws {
        try NetworkFileSystem.refuse(NSTemporaryDirectory())
        try NetworkFileSystem.refuse("/no/such/folder")
    }
}
